package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/schema"
)

// newWCOW is a simulated compute service with a Windows Server container that runs app.
func newWCOW(t *testing.T, app func(*hcstest.Proc) uint32) (*hcstest.Service, supervisor.Options) {
	t.Helper()
	service, machine := hcstest.New(), &containertest.Machine{}
	service.Program("app.exe", app)
	client := &hcs.Client{Service: service}
	planned, err := plan.Machine{Resolve: func(path string) (string, error) { return path, nil }}.WCOW("c", &specs.Spec{
		Process: &specs.Process{Args: []string{"app.exe"}, Cwd: `C:\`},
		Windows: &specs.Windows{LayerFolders: []string{`C:\layers\0`, `C:\scratch`}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := engine.Engine{Kernel: jobtest.New(), Service: client, Storage: machine, Network: machine}.WCOW(t.Context(), "c", t.TempDir(), planned)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		service.Wait()
		hcstest.Settled(t, service, client)
		if held := machine.Held(); len(held) > 0 {
			t.Errorf("left on the machine: %v", held)
		}
	})
	return service, supervisor.Options{
		Container: c, Process: &planned.Process, Policy: policy(t, "no"),
		Signals: []supervisor.Signal{supervisor.CtrlC, supervisor.CtrlBreak}, Grace: time.Second,
	}
}

func TestRun_WCOW_ReturnsExitCodeAndOutput(t *testing.T) {
	service, o := newWCOW(t, func(p *hcstest.Proc) uint32 {
		fmt.Fprint(p.Stdout, "out")
		fmt.Fprint(p.Stderr, "err")
		return 7
	})
	var stdout, stderr bytes.Buffer
	o.Stdout, o.Stderr = &stdout, &stderr
	r, err := supervisor.Run(t.Context(), o)
	if err != nil || r.Code != 7 || r.Reason != supervisor.Exited || stdout.String() != "out" || stderr.String() != "err" {
		t.Errorf("%+v %v %q %q, want code 7, exited, the output of each stream", r, err, &stdout, &stderr)
	}
	if n := service.Calls("ShutDownSystem"); n != 1 {
		t.Errorf("%d shutdowns, want one after the program", n)
	}
}

// TestRun_WCOWStoppedWhileStarting_ProgramIsSignalled: the stop comes half a grace period before the start returns.
func TestRun_WCOWStoppedWhileStarting_ProgramIsSignalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		service, o := newWCOW(t, func(p *hcstest.Proc) uint32 {
			if <-p.Signals() == schema.CtrlC {
				return 3
			}
			return 1
		})
		service.Fault("CreateProcess", hcstest.Fault{Late: true, Delay: o.Grace / 2})
		go func() {
			synctest.Wait()
			cancel()
		}()
		if r, err := supervisor.Run(ctx, o); err != nil || r.Code != 3 || r.Reason != supervisor.Stopped {
			t.Errorf("%+v %v, want code 3, stopped", r, err)
		}
	})
}

// TestRun_WCOWStartHangs_EndsAfterGrace: a stop ends a start that takes longer than the grace period.
func TestRun_WCOWStartHangs_EndsAfterGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		service, o := newWCOW(t, func(*hcstest.Proc) uint32 { t.Error("the program was started"); return 0 })
		service.Fault("StartSystem", hcstest.Fault{Late: true, Delay: time.Minute})
		go func() {
			synctest.Wait()
			cancel()
		}()
		began := time.Now()
		r, err := supervisor.Run(ctx, o)
		if !errors.Is(err, context.Canceled) || r.Reason != supervisor.NotStarted || time.Since(began) != o.Grace {
			t.Errorf("%+v %v after %v, want a canceled start after one grace", r, err, time.Since(began))
		}
	})
}

func TestRun_WCOWIgnoresSignals_IsTerminated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, o := newWCOW(t, func(p *hcstest.Proc) uint32 { <-p.Done(); return 0 })
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			cancel()
		}()
		began := time.Now()
		r, err := supervisor.Run(ctx, o)
		if err != nil || r.Code != container.Killed || r.Reason != supervisor.Forced || time.Since(began) != 2*o.Grace {
			t.Errorf("%+v %v after %v, want 137, killed, after two graces", r, err, time.Since(began))
		}
		if n := service.Calls("ShutDownSystem"); n != 0 {
			t.Errorf("%d shutdowns of a killed container, want none", n)
		}
	})
}

// TestRun_WCOWRefusesSignal_GetsNoGrace: a signal that was not sent cannot be answered.
func TestRun_WCOWRefusesSignal_GetsNoGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, o := newWCOW(t, func(p *hcstest.Proc) uint32 { <-p.Done(); return 0 })
		service.Fault("SignalProcess", hcstest.Fault{Times: -1, Err: errors.New("refused on purpose")})
		o.Timeout = time.Minute
		began := time.Now()
		r, err := supervisor.Run(t.Context(), o)
		if err != nil || r.Code != supervisor.TimedOut || r.Reason != supervisor.Timeout || time.Since(began) != o.Timeout {
			t.Errorf("%+v %v after %v, want 124, timeout, without grace", r, err, time.Since(began))
		}
	})
}

func TestRun_WCOWWithRestart_IsUnsupported(t *testing.T) {
	_, o := newWCOW(t, func(*hcstest.Proc) uint32 { return 1 })
	o.Policy = policy(t, "on-failure")
	if r, err := supervisor.Run(t.Context(), o); !errors.Is(err, container.ErrUnsupported) || r.Restarts != 0 {
		t.Errorf("%+v %v, want %v and no restart", r, err, container.ErrUnsupported)
	}
}
