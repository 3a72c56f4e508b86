package task_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/shim/task"
)

// exec adds an exec and starts it.
func (w *world) exec(t *testing.T, tk *task.Task, id string) (*task.Process, *program) {
	t.Helper()
	program := w.program()
	if err := tk.Exec(id, program, streams{}, task.Stdio{}); err != nil {
		t.Fatal(err)
	}
	p, err := tk.Process(id)
	if err != nil {
		t.Fatal(err)
	}
	start(t, p)
	return p, program
}

func TestTask_PauseAndResume_StatesAndEvents(t *testing.T) {
	w := &world{}
	init := w.program()
	tk := w.task(t, init, streams{})
	if err := tk.Pause(t.Context()); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("pause before the start: %v, want failed precondition", err)
	}
	start(t, tk.Init)
	e, _ := w.exec(t, tk, "e")
	if err := tk.Exec("later", w.program(), streams{}, task.Stdio{}); err != nil {
		t.Fatal(err)
	}
	if err := tk.Pause(t.Context()); err != nil || !w.paused {
		t.Fatalf("pause: %v, container paused %v", err, w.paused)
	}
	if i, x := tk.Init.Status().State, e.Status().State; i != task.Paused || x != task.Paused {
		t.Errorf("init is %s and the exec %s, want paused", i, x)
	}
	later, _ := tk.Process("later")
	if _, err := later.Start(context.Background()); !errdefs.IsFailedPrecondition(err) || later.Status().State != task.Created {
		t.Errorf("start of an exec while paused: %v, %s; want failed precondition, created", err, later.Status().State)
	}
	if err := tk.CanExec("another"); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("exec while paused: %v, want failed precondition", err)
	}
	if err := tk.Pause(t.Context()); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("second pause: %v, want failed precondition", err)
	}
	if err := tk.Resume(t.Context()); err != nil || w.paused {
		t.Errorf("resume: %v, container paused %v", err, w.paused)
	}
	if err := tk.Resume(t.Context()); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("second resume: %v, want failed precondition", err)
	}
	start(t, later)
	if i, x := tk.Init.Status().State, e.Status().State; i != task.Running || x != task.Running {
		t.Errorf("init is %s and the exec %s, want running", i, x)
	}
	w.want(t, "start", "exec-added e", "exec-started e", "exec-added later", "paused", "resumed", "exec-started later")
	init.end(0)
	<-tk.Init.Done()
}

func TestTask_PauseFails_StaysRunning(t *testing.T) {
	w := &world{refuse: errdefs.ErrUnavailable}
	tk := w.task(t, w.program(), streams{})
	start(t, tk.Init)
	if err := tk.Pause(t.Context()); !errdefs.IsUnavailable(err) {
		t.Errorf("pause: %v, want the container's own error", err)
	}
	if s := tk.Init.Status().State; s != task.Running {
		t.Errorf("state %s, want running", s)
	}
	w.want(t, "start")
}

func TestTask_KillWhilePaused_Stops(t *testing.T) {
	w := &world{}
	tk := w.task(t, w.program(), streams{})
	start(t, tk.Init)
	e, _ := w.exec(t, tk, "e")
	if err := tk.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tk.KillAll(container.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-tk.Init.Done()
	for _, p := range []*task.Process{e, tk.Init} {
		if s := p.Status(); s.State != task.Stopped || s.Exit != container.Killed || s.Reason != task.ReasonKilled {
			t.Errorf("%s: %+v, want stopped, %d, killed", p, s, container.Killed)
		}
	}
	if err := tk.Resume(t.Context()); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("resume of what has stopped: %v, want failed precondition", err)
	}
	w.want(t, "start", "exec-added e", "exec-started e", "paused", "exit e", "exit c")
}

func TestTask_InitEndsDuringPause_NoPausedEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{pausing: make(chan struct{})}
		init := w.program()
		tk := w.task(t, init, streams{})
		start(t, tk.Init)
		paused := make(chan error, 1)
		go func() { paused <- tk.Pause(t.Context()) }()
		synctest.Wait()
		init.end(0)
		<-tk.Init.Done()
		close(w.pausing)
		if err := <-paused; !errdefs.IsFailedPrecondition(err) {
			t.Errorf("pause: %v, want failed precondition", err)
		}
		w.want(t, "start", "exit c")
	})
}

// TestTask_PauseHangs_FailsWithinBound: the second caller, which waits for the first one, fails within the bound too.
func TestTask_PauseHangs_FailsWithinBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{pausing: make(chan struct{})}
		init := w.program()
		tk := w.task(t, init, streams{})
		start(t, tk.Init)
		answers := make(chan error, 2)
		for range cap(answers) {
			go func() { answers <- tk.Pause(t.Context()) }()
		}
		for range cap(answers) {
			if err := <-answers; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("pause: %v, want its bound", err)
			}
		}
		init.end(0)
		<-tk.Init.Done()
	})
}

// TestTask_PauseReturnsLate_StateFollows: the container ignores its context, and is paused after Pause has failed.
func TestTask_PauseReturnsLate_StateFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{pausing: make(chan struct{}), ignoresCtx: true}
		init := w.program()
		tk := w.task(t, init, streams{})
		start(t, tk.Init)
		if err := tk.Pause(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("pause: %v, want its bound", err)
		}
		if err := tk.Resume(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("resume while the pause goes on: %v, want its bound", err)
		}
		close(w.pausing)
		synctest.Wait()
		if s := tk.Init.Status().State; s != task.Paused {
			t.Errorf("it is %s, want paused", s)
		}
		if err := tk.Resume(t.Context()); err != nil {
			t.Error(err)
		}
		w.want(t, "start", "paused", "resumed")
		init.end(0)
		<-tk.Init.Done()
	})
}

func TestTask_PauseUnsupported_IsNotImplemented(t *testing.T) {
	w := &world{refuse: container.ErrUnsupported}
	init := w.program()
	tk := w.task(t, init, streams{})
	start(t, tk.Init)
	if err := tk.Pause(t.Context()); !errdefs.IsNotImplemented(err) || tk.Init.Status().State != task.Running {
		t.Errorf("pause: %v, want not implemented; it is %s", err, tk.Init.Status().State)
	}
	init.end(0)
	<-tk.Init.Done()
}
