package task_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/shim/task"
)

func TestTask_Exit_EventAfterStartBeforeDelete(t *testing.T) {
	w := &world{}
	p := w.program()
	p.end(7) // it has ended before the first wait
	tk := w.task(t, p, streams{})
	start(t, tk.Init)
	if s, err := tk.Init.Wait(t.Context()); err != nil || s.Exit != 7 || s.State != task.Stopped {
		t.Errorf("wait: %+v, %v, want exit 7, stopped", s, err)
	}
	if s := remove(t, tk, ""); s.Exit != 7 || s.Pid != 42 {
		t.Errorf("delete answered %+v, want exit 7 of 42", s)
	}
	w.want(t, "start", "exit c", "delete ")
	if w.closed != 1 {
		t.Errorf("container closed %d times, want once", w.closed)
	}
}

func TestTask_OutputUndelivered_ExitWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		p, s := w.program(), streams{drained: make(chan struct{})}
		tk := w.task(t, p, s)
		start(t, tk.Init)
		p.end(0)
		synctest.Wait()
		if got := tk.Init.Status().State; got != task.Running {
			t.Errorf("state with undelivered output: %s, want running", got)
		}
		close(s.drained)
		<-tk.Init.Done()
		w.want(t, "start", "exit c")
	})
}

func TestTask_OutputStalls_ExitAfterDrainBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		p := w.program()
		tk := w.task(t, p, streams{drained: make(chan struct{})})
		start(t, tk.Init)
		p.end(0)
		began := time.Now()
		<-tk.Init.Done()
		if took := time.Since(began); took != task.DefaultBounds.Drain {
			t.Errorf("exit came after %s, want the bound %s", took, task.DefaultBounds.Drain)
		}
	})
}

// TestTask_OutputHeldAfterExit_OpenUntilDelete: a process that an exec has started keeps the exec's output open. The exec exits
// at once, and its output is delivered until the exec or the task is deleted.
func TestTask_OutputHeldAfterExit_OpenUntilDelete(t *testing.T) {
	for _, deleted := range []string{"e", ""} {
		w := &world{}
		init := w.program()
		tk := w.task(t, init, streams{})
		start(t, tk.Init)
		s, program := streams{held: &atomic.Bool{}}, w.program()
		s.held.Store(true)
		if err := tk.Exec("e", program, s, task.Stdio{}); err != nil {
			t.Fatal(err)
		}
		e, _ := tk.Process("e")
		start(t, e)
		program.end(0)
		<-e.Done()
		if !s.held.Load() {
			t.Error("the streams were closed with the exit")
		}
		init.end(0)
		<-tk.Init.Done()
		remove(t, tk, deleted)
		if s.held.Load() {
			t.Errorf("the streams are open after the delete of %q", deleted)
		}
	}
}

func TestTask_NeverStarted_CanBeKilledAndDeleted(t *testing.T) {
	t.Run("killed", func(t *testing.T) {
		w := &world{}
		tk := w.task(t, w.program(), streams{})
		if err := tk.Init.Kill(container.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if s, err := tk.Init.Wait(t.Context()); err != nil || s.Exit != container.Killed {
			t.Errorf("wait: %+v, %v, want exit %d", s, err, container.Killed)
		}
		if err := tk.Init.Kill(container.SIGKILL); !errdefs.IsNotFound(err) {
			t.Errorf("second kill: %v, want not found", err)
		}
		remove(t, tk, "")
		w.want(t, "exit c", "delete ")
	})
	t.Run("deleted", func(t *testing.T) {
		w := &world{}
		tk := w.task(t, w.program(), streams{})
		remove(t, tk, "")
		if _, err := tk.Init.Start(context.Background()); !errdefs.IsNotFound(err) {
			t.Errorf("start after delete: %v, want not found", err)
		}
		w.want(t, "delete ")
	})
}

func TestProcess_KillDuringLaunch_KillsAfterLaunch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		p := w.program()
		p.slow = make(chan struct{})
		tk := w.task(t, p, streams{})
		begun := make(chan error, 1)
		go func() { _, err := tk.Init.Start(context.Background()); begun <- err }()
		synctest.Wait()
		killed := make(chan error, 1)
		go func() { killed <- tk.Init.Kill(container.SIGKILL) }()
		synctest.Wait()
		close(p.slow)
		if err := errors.Join(<-begun, <-killed); err != nil {
			t.Fatal(err)
		}
		if s, _ := tk.Init.Wait(t.Context()); s.Exit != container.Killed {
			t.Errorf("exit %d, want %d", s.Exit, container.Killed)
		}
		w.want(t, "start", "exit c")
	})
}

func TestTask_LaunchFails_IsStopped(t *testing.T) {
	w := &world{}
	p := w.program()
	p.refuse = errdefs.ErrNotFound
	tk := w.task(t, p, streams{})
	if _, err := tk.Init.Start(context.Background()); !errdefs.IsNotFound(err) {
		t.Errorf("start: %v, want the program's own error", err)
	}
	if s := tk.Init.Status().State; s != task.Stopped {
		t.Errorf("state %s, want stopped", s)
	}
	remove(t, tk, "")
	w.want(t, "delete ")
}

func TestTask_InitEnds_ExitsOfExecsComeFirst(t *testing.T) {
	w := &world{}
	p := w.program()
	tk := w.task(t, p, streams{})
	if err := tk.Exec("e", w.program(), streams{}, task.Stdio{}); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("exec before start: %v, want failed precondition", err)
	}
	start(t, tk.Init)
	if err := tk.Exec("e", w.program(), streams{}, task.Stdio{}); err != nil {
		t.Fatal(err)
	}
	for _, taken := range []string{"c", "e"} {
		if err := tk.Exec(taken, w.program(), streams{}, task.Stdio{}); !errdefs.IsAlreadyExists(err) {
			t.Errorf("exec %s: %v, want already exists", taken, err)
		}
	}
	exec, err := tk.Process("e")
	if err != nil {
		t.Fatal(err)
	}
	start(t, exec)
	if _, err := tk.Delete(t.Context(), ""); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("delete while running: %v, want failed precondition", err)
	}
	p.end(0)
	<-tk.Init.Done()
	remove(t, tk, "e")
	remove(t, tk, "")
	w.want(t, "start", "exec-added e", "exec-started e", "exit e", "exit c", "delete e", "delete ")
}

// The execs that exist at once are bounded. One that is deleted makes room.
func TestTask_TooManyExecs_Refused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		tk := w.task(t, w.program(), streams{})
		start(t, tk.Init)
		const limit = 10_000
		for i := range limit {
			if err := tk.Exec(strconv.Itoa(i), w.program(), streams{}, task.Stdio{}); err != nil {
				t.Fatalf("exec %d: %v", i, err)
			}
		}
		for name, err := range map[string]error{"CanExec": tk.CanExec("more"), "Exec": tk.Exec("more", w.program(), streams{}, task.Stdio{})} {
			if !errdefs.IsResourceExhausted(err) || !strings.Contains(err.Error(), "limit is 10000") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := tk.Delete(t.Context(), "7"); err != nil {
			t.Fatal(err)
		}
		if err := tk.Exec("more", w.program(), streams{}, task.Stdio{}); err != nil {
			t.Errorf("after a delete: %v", err)
		}
		if err := tk.Init.Kill(9); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	})
}
