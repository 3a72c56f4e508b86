package e2e

import (
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/workload"
)

// Nothing of a refused container remains.
func TestRun_InvalidSpec_ErrorNamesField(t *testing.T) {
	d := newDaemon(t)
	for _, c := range []struct {
		name   string
		change func(*specs.Spec)
		want   string
	}{
		{"no args", func(s *specs.Spec) { s.Process.Args = nil }, "process.args"},
		{"no process", func(s *specs.Spec) { s.Process = nil }, "process"},
		{"NUL in the environment", func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, "A=B\x00C=D") }, "process.env[1]"},
		{"relative directory", func(s *specs.Spec) { s.Process.Cwd = "here" }, "process.cwd"},
		{"batch file", func(s *specs.Spec) { s.Process.Args[0] = `C:\x.bat` }, ".bat"},
		{"hyper-v", func(s *specs.Spec) { s.Windows.HyperV = &specs.WindowsHyperV{} }, "windows.hyperv"},
		{"neither a job container nor layers", func(s *specs.Spec) { s.Annotations = nil }, "windows.layerFolders"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := workload.Spec("sleep", "600")
			c.change(s)
			id := newID()
			r := d.try(t, d.runArgs(t, s, id, "-d", "--null-io")...)
			if r.code == 0 || !strings.Contains(strings.ToLower(r.stderr), strings.ToLower(c.want)) {
				t.Errorf("exit %d, error %q, want one that names %q", r.code, r.stderr, c.want)
			}
			if row := d.row(t, id); row != nil {
				t.Errorf("a task remains: %v", row)
			}
		})
	}
	d.nothingLeft(t)
}

// The task is created, its start fails, and it can be deleted: clients of containerd expect that on Windows. The error is
// one line that names the cause.
func TestRun_ProgramMissing_StartFailsAndTaskIsStopped(t *testing.T) {
	d := newDaemon(t)
	for _, tt := range []struct {
		name, want, class string
		change            func(*specs.Process)
	}{
		{"no program", `C:\\no\\such.exe`, "not found", func(p *specs.Process) { p.Args[0] = `C:\no\such.exe` }},
		{"no directory", `process.cwd: start `, "not found", func(p *specs.Process) { p.Cwd = `C:\no\such` }},
		{"a file that is no program", `process.args[0]: start C:\windows\win.ini in `, "invalid argument", func(p *specs.Process) { p.Args[0] = `C:\windows\win.ini` }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := workload.Spec("sleep", "600")
			tt.change(s.Process)
			id := newID()
			r := d.try(t, d.runArgs(t, s, id, "-d", "--null-io")...)
			if r.code == 0 || !strings.Contains(r.stderr, tt.want) || !strings.HasSuffix(strings.TrimSpace(r.stderr), ": "+tt.class) {
				t.Errorf("exit %d, error %q, want one that has %q and ends with its class, %s", r.code, r.stderr, tt.want, tt.class)
			}
			if row := d.row(t, id); len(row) < 3 || row[2] != "STOPPED" {
				t.Errorf("the task is %v, want STOPPED", row)
			}
			d.try(t, "task", "delete", id) // it prints the exit code and a warning
			d.ctr(t, "container", "delete", id)
		})
	}
	d.nothingLeft(t)
}
