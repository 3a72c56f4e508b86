package hcs_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

// lose ends the program of the stage, with code 7, and the service sends no event about it.
func (g *stage) lose(t *testing.T) {
	t.Helper()
	g.service.Fault("ProcessExited", hcstest.Fault{})
	if err := g.process.CloseStdin(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// signals are the two ways to reach a process.
var signals = map[string]func(context.Context, *hcs.Process) error{
	"SignalProcess":    func(ctx context.Context, p *hcs.Process) error { return p.Signal(ctx, schema.CtrlShutdown) },
	"TerminateProcess": func(ctx context.Context, p *hcs.Process) error { return p.Kill(ctx) },
}

// TestProcessKill_Dying_KeepsItsExitCode: Windows denies the termination of a process that is being terminated.
func TestProcessKill_Dying_KeepsItsExitCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.service.Fault("ProcessExited", hcstest.Fault{Late: true, Delay: time.Hour})
		if err := g.process.CloseStdin(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for range 2 {
			if err := g.process.Kill(t.Context()); !errors.Is(err, hcs.ErrExited) {
				t.Errorf("kill: %v, want that the process has exited", err)
			}
		}
		if n := g.service.Calls("TerminateProcess"); n != 2 {
			t.Errorf("the service was asked %d times; it may deny one kill and take the next", n)
		}
		if code, err := g.process.Wait(t.Context()); code != 7 || err != nil {
			t.Errorf("exit code %d, %v; want the program's own", code, err)
		}
		g.settle(t)
	})
}

// TestProcessKill_AccessDeniedByTheService_Fails: the service has a code for a caller
// without access rights.
func TestProcessKill_AccessDeniedByTheService_Fails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.service.Fault("TerminateProcess", hcstest.Fault{Err: hcs.CodeAccessDenied})
		if err := g.process.Kill(t.Context()); !errors.Is(err, hcs.ErrAccessDenied) || errors.Is(err, hcs.ErrExited) {
			t.Errorf("kill: %v, want permission denied", err)
		}
		g.settle(t)
	})
}

// TestProcessWait_ServiceHasNoSuchProcess_EndsAfterASecond: the service answers a signal as if the process were gone,
// and has not announced its exit. The wait ends all the same, with the exit code if the service still knows it.
func TestProcessWait_ServiceHasNoSuchProcess_EndsAfterASecond(t *testing.T) {
	for call, send := range signals {
		for _, answer := range []hcs.Code{hcs.CodeWin32ElementNotFound, hcs.CodeSystemNotFound, hcs.CodeInvalidState, hcs.CodeProcessAlreadyStopped} {
			t.Run(call+"/"+answer.Error(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newStage(t)
					g.lose(t)
					g.service.Fault(call, hcstest.Fault{Err: &hcs.Failure{Code: answer}})
					began := time.Now()
					if err := send(t.Context(), g.process); !errors.Is(err, hcs.ErrExited) || !errors.Is(err, answer) {
						t.Errorf("%v, want that the process has exited, and the answer", err)
					}
					code, err := g.process.Wait(t.Context())
					if code != 7 || err != nil {
						t.Errorf("exit code %d, %v", code, err)
					}
					if took := time.Since(began); took != time.Second {
						t.Errorf("the wait ended after %v, want 1s", took)
					}
					g.settle(t)
				})
			})
		}
	}
}

// TestProcessWait_NothingKnownOfTheExit_TellsTheAnswer: the service tells neither the exit nor its code. A zero would
// be taken for success.
func TestProcessWait_NothingKnownOfTheExit_TellsTheAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		properties hcstest.Fault
		took       time.Duration
	}{
		"refused": {hcstest.Fault{Err: hcs.CodeWin32ElementNotFound}, time.Second},
		"hangs":   {hcstest.Fault{Late: true, Delay: time.Hour}, 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				g.lose(t)
				g.service.Fault("SignalProcess", hcstest.Fault{Err: hcs.CodeInvalidState})
				g.service.Fault("ProcessProperties", test.properties)
				began := time.Now()
				if err := g.process.Signal(t.Context(), schema.CtrlC); !errors.Is(err, hcs.ErrExited) {
					t.Errorf("signal: %v", err)
				}
				if code, err := g.process.Wait(t.Context()); !errors.Is(err, hcs.CodeInvalidState) || !errors.Is(err, hcs.ErrNoExitCode) {
					t.Errorf("exit code %d, %v; want the answer to the signal", code, err)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("the wait ended after %v, want %v", took, test.took)
				}
				g.settle(t)
			})
		})
	}
}

// TestProcessWait_ProcessLives_TellsTheAnswer: the same where the process has not exited at all.
func TestProcessWait_ProcessLives_TellsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.service.Fault("SignalProcess", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
		if err := g.process.Signal(t.Context(), schema.CtrlC); !errors.Is(err, hcs.ErrExited) {
			t.Errorf("signal: %v", err)
		}
		if code, err := g.process.Wait(t.Context()); !errors.Is(err, hcs.CodeWin32ElementNotFound) {
			t.Errorf("exit code %d, %v; want the answer to the signal", code, err)
		}
		g.settle(t)
	})
}

// TestProcessWait_LateEvent_Counts: the event comes within the second, or while a system that has ended is asked.
func TestProcessWait_LateEvent_Counts(t *testing.T) {
	for name, end := range map[string]func(context.Context, *stage) error{
		"signal": func(ctx context.Context, g *stage) error {
			if err := g.process.CloseStdin(ctx); err != nil {
				return err
			}
			synctest.Wait()
			if err := g.process.Signal(ctx, schema.CtrlC); !errors.Is(err, hcs.ErrExited) {
				return err
			}
			return nil
		},
		"system": func(ctx context.Context, g *stage) error {
			if err := g.process.CloseStdin(ctx); err != nil {
				return err
			}
			synctest.Wait()
			return g.system.Terminate(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				g.service.Fault("ProcessExited", hcstest.Fault{Late: true, Delay: time.Second / 2})
				began := time.Now()
				if err := end(t.Context(), g); err != nil {
					t.Fatal(err)
				}
				if code, err := g.process.Wait(t.Context()); code != 7 || err != nil {
					t.Errorf("exit code %d, %v", code, err)
				}
				if took := time.Since(began); took != time.Second/2 {
					t.Errorf("the wait ended after %v, want with the event", took)
				}
				g.settle(t)
			})
		})
	}
}

// TestClientCreate_WaitFails_TerminatesTheSystem: the service makes the system and fails the wait for it.
func TestClientCreate_WaitFails_TerminatesTheSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := bare(t)
		g.service.Fault("CreateSystem", hcstest.Fault{Late: true, Done: true, Err: hcs.CodeWin32RPCFailed})
		d := hcstest.Container()
		d.ShouldTerminateOnLastHandleClosed = false
		if _, err := g.client.Create(t.Context(), "c1", &d); !errors.Is(err, hcs.CodeWin32RPCFailed) {
			t.Errorf("create: %v", err)
		}
		if n := g.service.Calls("TerminateSystem"); n != 1 {
			t.Errorf("terminated %d times", n)
		}
		g.settle(t)
	})
}

// TestClientCreate_IDTaken_TerminatesNothing: the id belongs to another client's system.
func TestClientCreate_IDTaken_TerminatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		d := hcstest.Container()
		if _, err := g.client.Create(t.Context(), "c1", &d); !errors.Is(err, hcs.ErrAlreadyExists) {
			t.Errorf("create: %v", err)
		}
		if n := g.service.Calls("TerminateSystem"); n != 0 {
			t.Errorf("terminated %d times", n)
		}
		g.settle(t)
	})
}
