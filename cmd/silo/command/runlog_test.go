package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

func TestRun_LogIsADirectory_Refused(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{w.dir, filepath.Join(w.dir, "new") + string(filepath.Separator)} {
		code := w.silo(t, "run", "--log", path, "--", "app")
		want := "is a directory: name a file in it, such as " + filepath.Join(path, "output.log")
		if code != 125 || !strings.Contains(w.Stderr.String(), want) || w.Calls("CreateProcess") != 0 {
			t.Errorf("%d %s, %d programs started, want %q", code, &w.Stderr, w.Calls("CreateProcess"), want)
		}
	}
	if left, err := os.ReadDir(w.dir); err != nil || len(left) != 0 {
		t.Errorf("%v %v, want the directory as it was", left, err)
	}
}

func TestRun_LogCannotBeOpened_NothingStarts(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(w.dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(file, "x.log")
	code := w.silo(t, "run", "--log", path, "--", "app")
	if code != 125 || w.Calls("CreateProcess") != 0 || !strings.Contains(w.Stderr.String(), path) || !strings.Contains(w.Stderr.String(), "name another file with --log") {
		t.Errorf("%d %s, %d programs started, want the path and the remedy", code, &w.Stderr, w.Calls("CreateProcess"))
	}
	if w.OpenHandles() != 0 {
		t.Errorf("%d handles are left open", w.OpenHandles())
	}
}

// terminal is one that goes away after its first line.
type terminal struct {
	mu     sync.Mutex
	text   string
	failed chan struct{} // closed by the first write that fails
}

func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text == "" {
		s.text = string(p)
		return len(p), nil
	}
	select {
	case <-s.failed:
	default:
		close(s.failed)
	}
	return 0, errors.New("the pipe is being closed")
}

// TestRun_TerminalGoesAway_LogGoesOn: the failure is in the record and in the metrics while the program runs.
func TestRun_TerminalGoesAway_LogGoesOn(t *testing.T) {
	w := newWorld(t)
	screen, done := &terminal{failed: make(chan struct{})}, make(chan struct{})
	first := make(chan struct{})
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		fmt.Fprint(p.Stdout, "one\n")
		<-first
		fmt.Fprint(p.Stdout, "two\n")
		<-done
		fmt.Fprint(p.Stdout, "three\n")
		return 0
	})
	other := *w.app
	var stderr strings.Builder
	other.Stdout, other.Stderr = screen, &stderr
	path := filepath.Join(w.dir, "x.log")
	ended := make(chan int)
	go func() {
		ended <- other.Main(t.Context(), "silo.exe", []string{"run", "--name", "mine", "--log", path, "--", "app"})
	}()
	for text := ""; text == ""; runtime.Gosched() { // the test's own deadline bounds it
		screen.mu.Lock()
		text = screen.text
		screen.mu.Unlock()
	}
	close(first)
	<-screen.failed
	for { // the record is written soon
		r, err := w.app.Node.Records.Read("mine")
		if err == nil && len(r.OutputErrors) == 1 && r.OutputErrors[0].LostBytes == 4 && r.OutputErrors[0].Failing {
			break
		}
		runtime.Gosched()
	}
	for args, want := range map[string]string{
		"metrics --once": `silo_container_output_lost_bytes_total{container="",container_id="mine",kind="run",namespace="silo",pod=""} 4`,
		"inspect mine":   `"target": "stdout"`,
	} {
		if code := w.silo(t, strings.Fields(args)...); code != 0 || !strings.Contains(w.Stdout.String(), want) {
			t.Errorf("silo %s: %d %s, want %s in\n%s", args, code, &w.Stderr, want, &w.Stdout)
		}
	}
	close(done)
	if code := <-ended; code != 0 {
		t.Errorf("code %d %s", code, &stderr)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "one\ntwo\nthree\n" {
		t.Errorf("the log has %q %v", text, err)
	}
	r, err := w.app.Node.Records.Read("mine")
	if err != nil || len(r.OutputErrors) != 1 || r.OutputErrors[0].Target != "stdout" || r.OutputErrors[0].LostBytes != 10 || r.OutputErrors[0].Since.IsZero() {
		t.Errorf("%+v %v, want 10 lost bytes of stdout", r.OutputErrors, err)
	}
	if !strings.Contains(stderr.String(), "warning: stdout: 10 bytes of output were lost: the pipe is being closed") {
		t.Errorf("stderr: %s", &stderr)
	}
}

// TestRun_DiskFull_TerminalGoesOn: the program's exit code is silo's, and the record says what the log has lost.
func TestRun_DiskFull_TerminalGoesOn(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("a device that is always full is missing")
	}
	w := newWorld(t)
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		fmt.Fprint(p.Stdout, "one\ntwo\n")
		return 3
	})
	if code := w.silo(t, "run", "--name", "mine", "--log", full, "--", "app"); code != 3 || w.Stdout.String() != "one\ntwo\n" {
		t.Errorf("%d %q %s, want the program's code and output", code, &w.Stdout, &w.Stderr)
	}
	r, err := w.app.Node.Records.Read("mine")
	if err != nil || len(r.OutputErrors) != 1 || r.OutputErrors[0].Target != "log" || r.OutputErrors[0].LostBytes != 8 || !r.OutputErrors[0].Failing {
		t.Errorf("%+v %v, want 8 lost bytes of the log", r.OutputErrors, err)
	}
}

// TestRun_RelativeLog_RecordHasAbsolutePath: silo logs may run in another directory.
func TestRun_RelativeLog_RecordHasAbsolutePath(t *testing.T) {
	w := newWorld(t)
	t.Chdir(w.dir)
	w.Program("app.exe", func(p *jobtest.Proc) uint32 { fmt.Fprint(p.Stdout, "one\n"); return 0 })
	if code := w.silo(t, "run", "--name", "mine", "--log", filepath.Join("logs", "x.log"), "--", "app"); code != 0 {
		t.Fatal(code, w.Stderr.String())
	}
	t.Chdir(t.TempDir())
	r, err := w.app.Node.Records.Read("mine")
	if err != nil || !filepath.IsAbs(r.Log) || r.LogStart == nil || *r.LogStart != (node.LogPosition{File: 1}) {
		t.Errorf("%+v %v, want an absolute path and the start of the log", r, err)
	}
	if code := w.silo(t, "logs", "mine"); code != 0 || w.Stdout.String() != "one\n" {
		t.Errorf("%d %q %s", code, &w.Stdout, &w.Stderr)
	}
}
