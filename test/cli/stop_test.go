package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// parting is a detached container whose program writes "done" into a file after a console event, a second later.
type parting struct {
	*silo
	name, file string
}

func newParting(t *testing.T, flags ...string) parting {
	t.Helper()
	p := parting{silo: newSilo(t), name: fmt.Sprintf("cli-%s-%d", t.Name()[len("TestStop_"):], os.Getpid()), file: filepath.Join(t.TempDir(), "state")}
	args := append([]string{"run", "--detach", "--name", p.name}, flags...)
	p.start(t, p.name, append(args, "--", workload.Payload, "parting", p.wine.WindowsPath(p.file), "child")...)
	until(t, "the program waits for an event", func() bool { return p.written(t) == "ready" })
	return p
}

func (p parting) written(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// A detached silo has no console, and its program must receive Ctrl+C all the same.
func TestStop_Detached_ProgramReceivesCtrlC(t *testing.T) {
	p := newParting(t, "--stop-signal", "ctrl-c")
	p.run(t, "stop", p.name)
	if text := p.written(t); text != "done" {
		t.Errorf("the program's file has %q, want done", text)
	}
	if seen, ok := p.inspect(t, p.name); !ok || seen.Record.Exit == nil || seen.Record.Exit.Reason != "stopped" {
		t.Errorf("inspect: %v %+v, want an exit with the reason stopped", ok, seen.Record.Exit)
	}
}

// TestStop_NewProcessGroup_ProgramReceivesCtrlC: silo itself runs in a new process group, where Ctrl+C is ignored.
func TestStop_NewProcessGroup_ProgramReceivesCtrlC(t *testing.T) {
	s := newSilo(t)
	p := parting{silo: s, name: fmt.Sprintf("cli-group-%d", os.Getpid()), file: filepath.Join(t.TempDir(), "state")}
	cmd := s.command(t, workload.Payload, nil, "group", s.wine.WindowsPath(s.exe), "run", "--name", p.name, "--stop-signal", "ctrl-c",
		"--", workload.Payload, "parting", s.wine.WindowsPath(p.file), "child")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the program waits for an event", func() bool { return p.written(t) == "ready" })
	p.run(t, "stop", p.name)
	if err := cmd.Wait(); err != nil || p.written(t) != "done" {
		t.Errorf("%v, the program's file has %q, want done", err, p.written(t))
	}
}

// TestStop_GivenSignalAndGrace_CountForRun: the container has another signal and no grace period.
func TestStop_GivenSignalAndGrace_CountForRun(t *testing.T) {
	p := newParting(t, "--stop-signal", "ctrl-close", "--stop-grace", "0")
	p.run(t, "stop", "-t", "60", "--signal", "ctrl-break", p.name)
	if text := p.written(t); text != "done" {
		t.Errorf("the program's file has %q, want done", text)
	}
	if seen, ok := p.inspect(t, p.name); !ok || seen.Record.Exit == nil || seen.Record.Exit.Reason != "stopped" {
		t.Errorf("inspect: %v %+v, want an exit with the reason stopped", ok, seen.Record.Exit)
	}
}

func TestStop_KillCtrlC_ProgramReceivesIt(t *testing.T) {
	p := newParting(t)
	p.run(t, "kill", "--signal", "ctrl-c", p.name)
	until(t, "the program has exited in order", func() bool { return p.written(t) == "done" })
}
