package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
)

// dying starts a container whose init ends with 7 as soon as the returned function is called. The service notices the
// end as fault says.
func (b *bed) dying(fault hcstest.Fault) (init container.Process, end func(), stop func() error) {
	ending := make(chan struct{})
	b.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
		select {
		case <-ending:
			return 7
		case <-p.Done():
			return 1
		}
	})
	b.service.Fault("ProcessExited", fault)
	c, init := b.start(b.plan())
	return init, func() { close(ending); synctest.Wait() }, func() error { return b.end(c) }
}

// TestServerProgram_SignalWhileItDies_KeepsItsStatus: init is killed, or sent an event, while it ends by itself.
func TestServerProgram_SignalWhileItDies_KeepsItsStatus(t *testing.T) {
	for _, signal := range []uint32{container.SIGKILL, container.SIGTERM} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t)
			init, end, stop := b.dying(hcstest.Fault{Late: true, Delay: time.Second / 2})
			end()
			if err := init.Signal(context.Background(), signal); err != nil {
				t.Errorf("signal %d: %v", signal, err)
			}
			if status, err := init.Wait(t.Context()); status != 7 || err != nil {
				t.Errorf("signal %d: ended with %d, %v; want its own status", signal, status, err)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestServerProgram_ExitNeverAnnounced_WaitEnds: the service knows that init is gone, and never says so by itself.
func TestServerProgram_ExitNeverAnnounced_WaitEnds(t *testing.T) {
	for _, signal := range []uint32{container.SIGKILL, container.SIGTERM} {
		for _, answer := range []hcs.Code{hcs.CodeWin32ElementNotFound, hcs.CodeInvalidState} {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t)
				init, end, stop := b.dying(hcstest.Fault{})
				end()
				for _, call := range []string{"SignalProcess", "TerminateProcess"} {
					b.service.Fault(call, hcstest.Fault{Err: answer})
				}
				if err := init.Signal(context.Background(), signal); err != nil {
					t.Errorf("signal %d, answer %v: %v", signal, answer, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if status, err := init.Wait(ctx); status != 7 || err != nil {
					t.Errorf("signal %d, answer %v: ended with %d, %v", signal, answer, status, err)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestServerProgram_KilledAndExitNeverAnnounced_IsKilled: init was killed, and the service loses every trace of it.
func TestServerProgram_KilledAndExitNeverAnnounced_IsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		init, _, stop := b.dying(hcstest.Fault{})
		if err := init.Signal(context.Background(), container.SIGKILL); err != nil {
			t.Error(err)
		}
		b.service.Fault("ProcessProperties", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
		b.service.Fault("SignalProcess", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
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

// TestServerProgram_NothingKnownOfItsExit_WaitFails: an unknown status is no success.
func TestServerProgram_NothingKnownOfItsExit_WaitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		init, end, stop := b.dying(hcstest.Fault{})
		end()
		b.service.Fault("ProcessProperties", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
		b.service.Fault("SignalProcess", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
		if err := init.Signal(context.Background(), container.SIGTERM); err != nil {
			t.Error(err)
		}
		if status, err := init.Wait(t.Context()); !errors.Is(err, hcs.ErrNoExitCode) {
			t.Errorf("ended with %d, %v; want that no exit code is known", status, err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
