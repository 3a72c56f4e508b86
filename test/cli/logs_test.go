package cli

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

var logMegabytes = flag.Int("logmegabytes", 20, "size of the output that TestLogs_RotationAtFullSpeed follows")

// TestLogs_RotationAtFullSpeed_EachLineOnce follows a log from its first line while the program prints as fast as it can. In
// the second case another process has the log open for a second, so that it cannot be renamed.
func TestLogs_RotationAtFullSpeed_EachLineOnce(t *testing.T) {
	s := newSilo(t)
	for i, c := range []struct {
		flags []string
		held  bool
	}{
		{nil, false},
		{[]string{"--log-max-size", "1", "--log-max-files", "1000"}, true},
	} {
		t.Run(fmt.Sprintf("held=%v", c.held), func(t *testing.T) {
			name, start := fmt.Sprintf("cli-logs-%d-%d", os.Getpid(), i), filepath.Join(t.TempDir(), "start")
			lines := *logMegabytes << 20 / 100
			args := append([]string{"run", "--detach", "--name", name}, c.flags...)
			s.run(t, append(args, "--", workload.Payload, "lines", fmt.Sprint(lines), s.wine.WindowsPath(start))...)
			out := scratch(t)
			follow := s.command(t, s.exe, nil, "logs", "--follow", "Silo/"+strings.ToUpper(name))
			follow.Stdout, follow.Stderr = out, out
			if err := follow.Start(); err != nil {
				t.Fatal(err)
			}
			until(t, "the first line is printed", func() bool { info, err := out.Stat(); return err == nil && info.Size() > 0 })
			if c.held {
				held := scratch(t)
				holder := s.command(t, workload.Payload, nil, "hold", s.wine.WindowsPath(filepath.Join(s.state, name, "output.log")), "1")
				holder.Stdout, holder.Stderr = held, held
				if err := holder.Start(); err != nil {
					t.Fatal(err)
				}
				until(t, "the log is held", func() bool {
					text, err := os.ReadFile(held.Name())
					return err == nil && strings.Contains(string(text), "held")
				})
				defer holder.Wait() // it ends by itself
			}
			if err := os.WriteFile(start, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := follow.Wait(); err != nil {
				t.Errorf("silo logs: %v", err)
			}
			checkNumbers(t, out, lines)
			record := s.run(t, "inspect", name)
			if refused := strings.Contains(record, `"error": "rotate the log `); refused != c.held || strings.Contains(record, `"lost_bytes": 1`) {
				t.Errorf("a refused rotation is in the record: %v, want %v\n%s", refused, c.held, record)
			}
		})
	}
}

// checkNumbers counts the lines that are lost, doubled and cut of the numbers from 0 on.
func checkNumbers(t *testing.T, out *os.File, lines int) {
	t.Helper()
	if _, err := out.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	next, lost, doubled, cut := 0, 0, 0, 0
	for scan := bufio.NewScanner(out); scan.Scan(); {
		var n int
		text := strings.TrimSuffix(scan.Text(), "\r")
		if _, err := fmt.Sscanf(text, "%d", &n); err != nil || len(text) != 99 {
			cut++
			t.Logf("cut: %.120q", text)
			continue
		}
		if n < next {
			doubled++
			continue
		}
		lost += n - next
		next = n + 1
	}
	lost += lines - next
	t.Logf("%d lines: %d lost, %d doubled, %d cut", lines, lost, doubled, cut)
	if lost+doubled+cut != 0 {
		t.Errorf("%d lines: %d lost, %d doubled, %d cut; want none", lines, lost, doubled, cut)
	}
}
