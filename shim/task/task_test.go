package task_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/shim/task"
)

// world is a container whose programs end when the test says so, and a record of what was announced.
type world struct {
	mu       sync.Mutex
	events   []string
	programs []*program
	closed   int
}

func (w *world) emit(e any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, describe(e))
}

func describe(e any) string {
	switch e := e.(type) {
	case *events.TaskStart:
		return "start"
	case *events.TaskExit:
		return "exit " + e.ID
	case *events.TaskDelete:
		return "delete " + e.ID
	case *events.TaskExecAdded:
		return "exec-added " + e.ExecID
	case *events.TaskExecStarted:
		return "exec-started " + e.ExecID
	default:
		return "unknown"
	}
}

func (w *world) announced() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

func (w *world) Pids() ([]uint32, error) { return nil, nil }
func (w *world) Close() error            { w.closed++; return nil }

func (w *world) Terminate(_ context.Context, status uint32) error {
	for _, p := range w.programs {
		p.end(status)
	}
	return nil
}

// program runs from Start until end is called.
type program struct {
	refuse error
	slow   chan struct{} // holds Start while open, when not nil
	exit   chan uint32
	once   sync.Once
}

func (w *world) program() *program {
	p := &program{exit: make(chan uint32, 1)}
	w.programs = append(w.programs, p)
	return p
}

func (p *program) Start() (uint32, error) {
	if p.slow != nil {
		<-p.slow
	}
	return 42, p.refuse
}
func (p *program) Wait(context.Context) (uint32, error) { return <-p.exit, nil }
func (p *program) end(status uint32)                    { p.once.Do(func() { p.exit <- status }) }
func (p *program) Resize(uint32, uint32) error          { return nil }
func (p *program) Close() error                         { return nil }
func (p *program) Signal(sig uint32) error {
	if sig == task.SIGKILL {
		p.end(task.Killed)
	}
	return nil
}

// streams deliver once drained is closed; nil is at once.
type streams struct{ drained chan struct{} }

func (s streams) Start()       {}
func (s streams) CloseStdin()  {}
func (s streams) Close() error { return nil }
func (s streams) Drain(ctx context.Context) error {
	if s.drained == nil {
		return nil
	}
	select {
	case <-s.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *world) task(t *testing.T, p *program, s streams) *task.Task {
	return task.New(task.Config{
		ID: "c", Container: w, Emit: w.emit,
		Report: func(doing string, err error) { t.Logf("%s: %v", doing, err) },
	}, p, s, task.Stdio{})
}

func start(t *testing.T, p *task.Process) {
	t.Helper()
	if _, err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, tk *task.Task, exec string) task.Status {
	t.Helper()
	s, err := tk.Delete(t.Context(), exec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.announced()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestExitIsAnnouncedAfterStartAndBeforeDelete(t *testing.T) {
	w := &world{}
	p := w.program()
	p.end(7) // it will have ended before anybody looks
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

func TestExitWaitsForTheOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		p, s := w.program(), streams{drained: make(chan struct{})}
		tk := w.task(t, p, s)
		start(t, tk.Init)
		p.end(0)
		synctest.Wait()
		if got := tk.Init.Status().State; got != task.Running {
			t.Errorf("state with output underway: %s, want running", got)
		}
		close(s.drained)
		<-tk.Init.Done()
		w.want(t, "start", "exit c")
	})
}

func TestOutputThatNobodyTakesDelaysTheExitByItsBound(t *testing.T) {
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

func TestNeverStarted(t *testing.T) {
	t.Run("killed", func(t *testing.T) {
		w := &world{}
		tk := w.task(t, w.program(), streams{})
		if err := tk.Init.Kill(task.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if s, err := tk.Init.Wait(t.Context()); err != nil || s.Exit != task.Killed {
			t.Errorf("wait: %+v, %v, want exit %d", s, err, task.Killed)
		}
		if err := tk.Init.Kill(task.SIGKILL); !errdefs.IsNotFound(err) {
			t.Errorf("second kill: %v, want not found", err)
		}
		remove(t, tk, "")
		w.want(t, "exit c", "delete ")
	})
	t.Run("deleted", func(t *testing.T) {
		w := &world{}
		tk := w.task(t, w.program(), streams{})
		remove(t, tk, "")
		if _, err := tk.Init.Start(); !errdefs.IsNotFound(err) {
			t.Errorf("start after delete: %v, want not found", err)
		}
		w.want(t, "delete ")
	})
}

func TestKillOvertakesASlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		p := w.program()
		p.slow = make(chan struct{})
		tk := w.task(t, p, streams{})
		begun := make(chan error, 1)
		go func() { _, err := tk.Init.Start(); begun <- err }()
		synctest.Wait()
		killed := make(chan error, 1)
		go func() { killed <- tk.Init.Kill(task.SIGKILL) }()
		synctest.Wait()
		close(p.slow)
		if err := errors.Join(<-begun, <-killed); err != nil {
			t.Fatal(err)
		}
		if s, _ := tk.Init.Wait(t.Context()); s.Exit != task.Killed {
			t.Errorf("exit %d, want %d", s.Exit, task.Killed)
		}
		w.want(t, "start", "exit c")
	})
}

func TestFailedStartStops(t *testing.T) {
	w := &world{}
	p := w.program()
	p.refuse = errdefs.ErrNotFound
	tk := w.task(t, p, streams{})
	if _, err := tk.Init.Start(); !errdefs.IsNotFound(err) {
		t.Errorf("start: %v, want the program's own error", err)
	}
	if s := tk.Init.Status().State; s != task.Stopped {
		t.Errorf("state %s, want stopped", s)
	}
	remove(t, tk, "")
	w.want(t, "delete ")
}

func TestExecsTellTheirExitBeforeInit(t *testing.T) {
	w := &world{}
	p := w.program()
	tk := w.task(t, p, streams{})
	if err := tk.Exec("e", w.program(), streams{}, task.Stdio{}); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("exec before start: %v, want failed precondition", err)
	}
	start(t, tk.Init)
	for _, id := range []string{"c", "e", "e"} {
		err := tk.Exec(id, w.program(), streams{}, task.Stdio{})
		if (id == "c" || slices.Contains(w.announced(), "exec-added "+id)) && err != nil {
			if !errdefs.IsAlreadyExists(err) {
				t.Errorf("exec %s: %v, want already exists", id, err)
			}
		} else if err != nil {
			t.Fatal(err)
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
