package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
)

// exitLater starts a container whose init process exits with 7 when end is called. fault is what the service does then.
func (env *environment) exitLater(fault hcstest.Fault) (init container.Process, end func(), stop func() error) {
	ending := make(chan struct{})
	env.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
		select {
		case <-ending:
			return 7
		case <-p.Done():
			return 1
		}
	})
	env.service.Fault("ProcessExited", fault)
	c, init := env.start(env.plan())
	return init, func() { close(ending); synctest.Wait() }, func() error { return env.end(c) }
}

// The init process is killed, or receives an event, while it exits.
func TestWCOW_SignalDuringExit_KeepsStatus(t *testing.T) {
	for _, signal := range []uint32{container.SIGKILL, container.SIGTERM} {
		synctest.Test(t, func(t *testing.T) {
			env := newEnvironment(t)
			init, end, stop := env.exitLater(hcstest.Fault{Late: true, Delay: time.Second / 2})
			end()
			if err := init.Signal(context.Background(), signal); err != nil {
				t.Errorf("signal %d: %v", signal, err)
			}
			if status, err := init.Wait(t.Context()); status != 7 || err != nil {
				t.Errorf("signal %d: ended with %d, %v; want 7", signal, status, err)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// The service sends no notification about the exit.
func TestWCOW_ExitNotAnnounced_WaitReturns(t *testing.T) {
	for _, signal := range []uint32{container.SIGKILL, container.SIGTERM} {
		for _, answer := range []hcs.Code{hcs.CodeWin32ElementNotFound, hcs.CodeInvalidState} {
			synctest.Test(t, func(t *testing.T) {
				env := newEnvironment(t)
				init, end, stop := env.exitLater(hcstest.Fault{})
				end()
				for _, call := range []string{"SignalProcess", "TerminateProcess"} {
					env.service.Fault(call, hcstest.Fault{Err: answer})
				}
				if err := init.Signal(context.Background(), signal); err != nil {
					t.Errorf("signal %d, error %v: %v", signal, answer, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if status, err := init.Wait(ctx); status != 7 || err != nil {
					t.Errorf("signal %d, error %v: exited with %d, %v", signal, answer, status, err)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The service does not return the properties of the process either.
func TestWCOW_KilledAndExitNotAnnounced_StatusIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		init, _, stop := env.exitLater(hcstest.Fault{})
		if err := init.Signal(context.Background(), container.SIGKILL); err != nil {
			t.Error(err)
		}
		env.service.Fault("ProcessProperties", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
		env.service.Fault("SignalProcess", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
		if err := init.Signal(context.Background(), container.SIGTERM); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if status, err := init.Wait(ctx); status != container.Killed || err != nil {
			t.Errorf("ended with %d, %v; want %d", status, err, container.Killed)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestWCOW_ExitCodeUnknown_WaitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		init, end, stop := env.exitLater(hcstest.Fault{})
		end()
		env.service.Fault("ProcessProperties", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
		env.service.Fault("SignalProcess", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
		if err := init.Signal(context.Background(), container.SIGTERM); err != nil {
			t.Error(err)
		}
		if status, err := init.Wait(t.Context()); !errors.Is(err, hcs.ErrNoExitCode) {
			t.Errorf("ended with %d, %v; want an error that no exit code is known", status, err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// Its Wait may come only after Terminate.
func TestWCOW_ExecExitsBeforeTerminate_KeepsItsStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		env.service.Program("seven.exe", func(*hcstest.Proc) uint32 { return 7 })
		c, init := env.start(env.plan())
		exec, closeExec, err := env.program(c, &plan.Process{Program: "seven.exe", CommandLine: "seven.exe"})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it has exited
		if err := c.Terminate(t.Context(), container.Killed); err != nil {
			t.Fatal(err)
		}
		if status, err := exec.Wait(t.Context()); err != nil || status != 7 {
			t.Errorf("the exec exited with %d, %v; want its own status, 7", status, err)
		}
		if status, err := init.Wait(t.Context()); err != nil || status != container.Killed {
			t.Errorf("init exited with %d, %v; want %d: Terminate ended it", status, err, container.Killed)
		}
		if err := closeExec(); err != nil {
			t.Error(err)
		}
	})
}
