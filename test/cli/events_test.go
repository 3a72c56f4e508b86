package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The interval is longer than the test: what is announced was reported by the kernel. Containers run until one is announced,
// as the first may end before silo events has begun.
func TestEvents_LongInterval_RecordsAreAnnouncedAtOnce(t *testing.T) {
	s := newSilo(t)
	out := scratch(t)
	name := fmt.Sprintf("cli-events-%d", os.Getpid())
	s.detach(t, name+"-before", "sleep", "600") // makes the directory of the records
	cmd := s.command(t, s.exe, nil, "events", "--interval", "2h", "--format", "{{.Event}} {{.Container}} {{.ExitCode}}")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	containers := 0
	until(t, "the start and the exit of a container are announced", func() bool {
		containers++
		s.detach(t, fmt.Sprintf("%s-%d", name, containers), "exit", "3")
		text, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		for n := range containers {
			id := fmt.Sprintf("silo/%s-%d", name, n+1)
			if strings.Contains(string(text), "container-appeared "+id+" ") && strings.Contains(string(text), "container-gone "+id+" 3") {
				return true
			}
		}
		return false
	})
}
