package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// The error has the program, the directory, and the field that caused it, but no arguments.
func TestStart_HostProcessFails_ErrorNamesProgramAndField(t *testing.T) {
	const program = `C:\Windows\System32\bindfltapi.dll` // the only file of this machine
	for _, tt := range []struct {
		name  string
		kind  error // the error of the kernel, or nil for that of the simulation
		cwd   string
		is    func(error) bool
		begin string
	}{
		{"a directory that is missing", nil, jobtest.MissingDir, errdefs.IsNotFound, "process.cwd: start " + program + " in " + jobtest.MissingDir + ": "},
		{"a file that is no program", jobobject.ErrNotExecutable, `C:\work`, errdefs.IsInvalidArgument, `process.args[0]: start ` + program + ` in C:\work: `},
		{"a program that went meanwhile", jobobject.ErrNotExist, `C:\work`, errdefs.IsNotFound, `process.args[0]: start ` + program + ` in C:\work: `},
		{"a file that may not be read", jobobject.ErrPermission, `C:\work`, errdefs.IsPermissionDenied, `start ` + program + ` in C:\work: `},
		{"anything else", errors.New("the page file is too small"), `C:\work`, errdefs.IsUnknown, `start ` + program + ` in C:\work: `},
	} {
		env := newHostProcessEnvironment(t)
		plan := env.job(true, func(s *specs.Spec) {
			s.Windows.LayerFolders, s.Mounts = nil, nil
			s.Process.Cwd, s.Process.Args = tt.cwd, []string{program, "secret"}
		})
		c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, plan)
		if err != nil {
			t.Fatal(err)
		}
		if tt.kind != nil {
			env.kernel.Fail("CreateProcess", 1, tt.kind)
		}
		err = env.start(c, &plan.Process)
		if err == nil || !strings.HasPrefix(err.Error(), tt.begin) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want it to begin with %q", tt.name, err, tt.begin)
		}
		if class := errdefs.Resolve(err); !tt.is(class) {
			t.Errorf("%s: class %v", tt.name, class)
		}
		env.end(c)
	}
}

func TestStart_WCOWFails_ErrorNamesProgramAndField(t *testing.T) {
	for _, tt := range []struct {
		code  hcs.Code
		is    func(error) bool
		begin string
	}{
		{hcs.CodeWin32BadDirectory, errdefs.IsNotFound, `process.cwd: start app.exe in C:\: `},
		{hcs.CodeWin32BadImage, errdefs.IsInvalidArgument, `process.args[0]: start app.exe in C:\: `},
		{hcs.CodeWin32FileNotFound, errdefs.IsNotFound, `process.args[0]: start app.exe in C:\: `},
		{hcs.CodeWin32NoResources, errdefs.IsResourceExhausted, `start app.exe in C:\: `},
	} {
		env := newEnvironment(t)
		plan := env.plan(func(s *specs.Spec) { s.Process.Args = append(s.Process.Args, "secret") })
		c, err := env.create(plan)
		if err != nil {
			t.Fatal(err)
		}
		env.service.Fault("CreateProcess", hcstest.Fault{Err: tt.code})
		_, closeProgram, err := env.program(c, &plan.Process)
		if err == nil || !strings.HasPrefix(err.Error(), tt.begin) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v, want it to begin with %q", tt.code, err, tt.begin)
		}
		if class := errdefs.Resolve(err); !tt.is(class) {
			t.Errorf("%v: class %v", tt.code, class)
		}
		if err := closeProgram(); err != nil {
			t.Error(err)
		}
		if err := c.Terminate(t.Context(), container.Killed); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		env.checkReleased()
	}
}
