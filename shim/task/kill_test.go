package task_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/shim/task"
)

// TestGrace: a program that heeds no signal is ended when its grace is over, and not a moment earlier, however often
// it is asked.
func TestGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = 5 * time.Second
		w := &world{stop: task.Stop{Signal: new(uint32(1)), Grace: grace}}
		p := w.program()
		p.deaf = errors.ErrUnsupported
		tk := w.task(t, p, streams{})
		start(t, tk.Init)
		began := time.Now()
		for range 2 {
			if err := tk.Init.Kill(container.SIGTERM); err != nil {
				t.Errorf("stop: %v, want none: the end will come", err)
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
		if diff := cmp.Diff([]uint32{1, 1, container.SIGKILL}, p.asked); diff != "" {
			t.Errorf("signals (-want +got):\n%s", diff)
		}
	})
}

// TestKillOvertakesTheGrace: SIGKILL does not wait for a stop that is pending, and the stop does not come after it.
func TestKillOvertakesTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{stop: task.Stop{Grace: time.Minute}}
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
		if diff := cmp.Diff([]uint32{container.SIGTERM, container.SIGKILL}, p.asked); diff != "" {
			t.Errorf("signals (-want +got):\n%s", diff)
		}
	})
}

// TestKillIsIdempotent: a second kill succeeds while the output is underway, reaches no program any more, and is not
// found once the exit was told.
func TestKillIsIdempotent(t *testing.T) {
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
		if len(p.asked) != 1 {
			t.Errorf("the program got %v, want one kill", p.asked)
		}
		close(s.drained)
		<-tk.Init.Done()
		if err := tk.Init.Kill(container.SIGKILL); !errdefs.IsNotFound(err) {
			t.Errorf("kill after the exit: %v, want not found", err)
		}
	})
}

func TestRefusedSignalIsTold(t *testing.T) {
	w := &world{}
	p := w.program()
	p.deaf = errdefs.ErrInvalidArgument
	tk := w.task(t, p, streams{})
	start(t, tk.Init)
	if err := tk.Init.Kill(3); !errdefs.IsInvalidArgument(err) {
		t.Errorf("signal 3: %v, want the program's own error", err)
	}
	p.end(0)
	<-tk.Init.Done()
}
