package task_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/task"
)

// TestProcess_StopIgnored_KilledAfterGrace: a program that ignores signals is killed when the grace period from the first one
// is over.
func TestProcess_StopIgnored_KilledAfterGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = 5 * time.Second
		w := &world{stop: plan.Stop{Signal: new(uint32(1)), Grace: grace}}
		p := w.program()
		p.refuseSignal = errors.ErrUnsupported
		tk := w.task(t, p, streams{})
		start(t, tk.Init)
		began := time.Now()
		for range 2 {
			if err := tk.Init.Kill(container.SIGTERM); err != nil {
				t.Errorf("stop: %v, want none: SIGKILL follows", err)
			}
			time.Sleep(time.Second)
		}
		<-tk.Init.Done()
		if took := time.Since(began); took != grace {
			t.Errorf("it ended after %s, want %s", took, grace)
		}
		if s := tk.Init.Status(); s.Exit != container.Killed || s.Reason != task.ReasonKilled {
			t.Errorf("%+v, want %d, killed", s, container.Killed)
		}
		if diff := cmp.Diff([]uint32{1, 1, container.SIGKILL}, p.signals); diff != "" {
			t.Errorf("signals (-want +got):\n%s", diff)
		}
	})
}

// TestProcess_KillDuringGrace_EndsAtOnce: SIGKILL does not wait for a pending stop, and the stop does not follow it.
func TestProcess_KillDuringGrace_EndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{stop: plan.Stop{Grace: time.Minute}}
		p := w.program()
		tk := w.task(t, p, streams{})
		start(t, tk.Init)
		began := time.Now()
		for _, sig := range []uint32{container.SIGTERM, container.SIGKILL} {
			if err := tk.Init.Kill(sig); err != nil {
				t.Fatal(err)
			}
		}
		<-tk.Init.Done()
		if took := time.Since(began); took != 0 {
			t.Errorf("the kill took %s", took)
		}
		time.Sleep(2 * time.Minute) // past the grace
		if diff := cmp.Diff([]uint32{container.SIGTERM, container.SIGKILL}, p.signals); diff != "" {
			t.Errorf("signals (-want +got):\n%s", diff)
		}
	})
}

// TestProcess_KillRepeated_SucceedsUntilExit: a second kill succeeds without effect until the output was delivered, and is not
// found after the exit.
func TestProcess_KillRepeated_SucceedsUntilExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		p, s := w.program(), streams{drained: make(chan struct{})}
		tk := w.task(t, p, s)
		start(t, tk.Init)
		for range 3 {
			if err := tk.Init.Kill(container.SIGKILL); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if len(p.signals) != 1 {
			t.Errorf("the program got %v, want one kill", p.signals)
		}
		close(s.drained)
		<-tk.Init.Done()
		if err := tk.Init.Kill(container.SIGKILL); !errdefs.IsNotFound(err) {
			t.Errorf("kill after the exit: %v, want not found", err)
		}
	})
}

func TestProcess_SignalFails_ReturnsItsError(t *testing.T) {
	w := &world{}
	p := w.program()
	p.refuseSignal = errdefs.ErrInvalidArgument
	tk := w.task(t, p, streams{})
	start(t, tk.Init)
	if err := tk.Init.Kill(3); !errdefs.IsInvalidArgument(err) {
		t.Errorf("signal 3: %v, want the program's own error", err)
	}
	p.end(0)
	<-tk.Init.Done()
}
