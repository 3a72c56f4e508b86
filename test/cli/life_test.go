package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// TestRun_ProgramMissingFor5s_StartsAgain: the file of the program is missing until the pauses between the starts, from 0.1
// to 3.2 seconds, have lasted more than 5 seconds. The output of both runs is complete.
func TestRun_ProgramMissingFor5s_StartsAgain(t *testing.T) {
	s := newSilo(t)
	dir, name := t.TempDir(), fmt.Sprintf("cli-missing-%d", os.Getpid())
	exe, moved, end := filepath.Join(dir, "app.exe"), filepath.Join(dir, "moved"), filepath.Join(dir, "end")
	program, err := os.ReadFile(s.wine.UnixPath(workload.Payload))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, program, 0o755); err != nil {
		t.Fatal(err)
	}
	s.start(t, name, "run", "--detach", "--name", name, "--restart", "always", "--", s.wine.WindowsPath(exe), "count", s.wine.WindowsPath(end))
	until(t, "the program has printed a line", func() bool { return strings.Contains(s.run(t, "logs", name), "0") })
	if err := os.Rename(exe, moved); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(end, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, "starts have failed for 5 s", func() bool {
		seen, ok := s.inspect(t, name)
		if !ok {
			t.Fatal("the record is gone")
		}
		return seen.Record.Restarts >= 6
	})
	seen, _ := s.inspect(t, name)
	if last := seen.Record.LastExit; seen.Record.Status != "restarting" || last == nil || last.Code != 127 || last.Reason != "not started" {
		t.Errorf("record %+v with %+v, want restarting, not started", seen.Record, last)
	}
	if err := os.Remove(end); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(moved, exe); err != nil {
		t.Fatal(err)
	}
	until(t, "the program runs again", func() bool { return strings.Count(s.run(t, "logs", name), "\n0\n") == 1 })
	s.run(t, "stop", name)
	if log := "\n" + strings.ReplaceAll(s.run(t, "logs", name), "\r", ""); strings.Count(log, "\n0\n") != 2 || strings.Count(log, "\nend\n") != 1 {
		t.Errorf("the log is not that of two runs:\n%.2000s", log)
	}
}

func TestRun_DetachedStateUnwritable_IsAnError(t *testing.T) {
	s := newSilo(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("cli-unwritable-%d", os.Getpid())
	r := s.try(t, s.exe, []string{"SILO_STATE=" + s.wine.WindowsPath(file) + `\state`}, "run", "--detach", "--name", name, "--", workload.Payload, "sleep", "600")
	if r.code != 125 || r.stdout != "" || !strings.Contains(r.stderr, "nothing was started") {
		t.Errorf("%+v, want 125 and no name", r)
	}
}

// TestRun_DetachInDetached_Detaches: the program of a detached container runs silo run --detach, which prints the name of
// its container and returns.
func TestRun_DetachInDetached_Detaches(t *testing.T) {
	s := newSilo(t)
	outer, inner := fmt.Sprintf("cli-outer-%d", os.Getpid()), fmt.Sprintf("cli-inner-%d", os.Getpid())
	s.start(t, outer, "run", "--detach", "--name", outer, "--", s.wine.WindowsPath(s.exe),
		"run", "--detach", "--name", inner, "--", workload.Payload, "sleep", "600")
	if code := strings.TrimSpace(s.run(t, "wait", outer)); code != "0" {
		t.Errorf("the inner silo has exited with %s, want 0", code)
	}
	if out := strings.TrimSpace(s.run(t, "logs", outer)); out != inner {
		t.Errorf("output %q, want %q", out, inner)
	}
}
