package task_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/task"
)

// world is a container whose programs end when the test ends them, and a record of the events.
type world struct {
	container.Container // the rest is never called

	mu       sync.Mutex
	events   []string
	programs []*program
	closed   int

	paused     bool          // by Pause; not by Resume
	refuse     error         // of the next Pause or Resume
	pausing    chan struct{} // not nil: Pause returns when it is closed
	ignoresCtx bool          // Pause does
	stop       plan.Stop     // of the tasks made from now on
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
	case *events.TaskPaused:
		return "paused"
	case *events.TaskResumed:
		return "resumed"
	case *events.TaskOOM:
		return "oom"
	case *events.TaskExecAdded:
		return "exec-added " + e.ExecID
	case *events.TaskExecStarted:
		return "exec-started " + e.ExecID
	default:
		return "unknown"
	}
}

func (w *world) emitted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

func (w *world) Close() error { w.closed++; return nil }

func (w *world) Watch(func(container.Notice)) {}

func (w *world) Stop(context.Context, uint32) error               { return container.ErrUnsupported }
func (w *world) TerminateProcesses(context.Context, uint32) error { return container.ErrUnsupported }

func (w *world) TerminateTimeout() time.Duration { return 30 * time.Second }

func (w *world) Pause(ctx context.Context) error {
	if w.pausing != nil {
		select {
		case <-w.pausing:
		case <-ctx.Done():
			if !w.ignoresCtx {
				return ctx.Err()
			}
			<-w.pausing
		}
	}
	return w.setPaused(true)
}

func (w *world) Resume(context.Context) error { return w.setPaused(false) }

func (w *world) setPaused(paused bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.refuse
	if w.refuse = nil; err == nil {
		w.paused = paused
	}
	return err
}

func (w *world) Terminate(_ context.Context, status uint32) error {
	for _, p := range w.programs {
		p.end(status)
	}
	return nil
}

// program runs from Start to end.
type program struct {
	refuse       error
	slow         chan struct{} // not nil: Start returns when it is closed
	exit         chan uint32
	once         sync.Once
	lost         error         // of Wait
	refuseSignal error         // of every signal but SIGKILL
	signals      []uint32      // in order; read when no call is pending
	closing      chan struct{} // not nil: Close returns when it is closed
}

func (w *world) program() *program {
	p := &program{exit: make(chan uint32, 1)}
	w.programs = append(w.programs, p)
	return p
}

func (p *program) Start(context.Context) (uint32, error) {
	if p.slow != nil {
		<-p.slow
	}
	return 42, p.refuse
}
func (p *program) Wait(context.Context) (uint32, error)         { return <-p.exit, p.lost }
func (p *program) end(status uint32)                            { p.once.Do(func() { p.exit <- status }) }
func (p *program) Resize(context.Context, uint32, uint32) error { return nil }
func (p *program) Close() error {
	if p.closing != nil {
		<-p.closing
	}
	return nil
}
func (p *program) Signal(_ context.Context, sig uint32) error {
	p.signals = append(p.signals, sig)
	if sig == container.SIGKILL {
		p.end(container.Killed)
		return nil
	}
	return p.refuseSignal
}

// streams deliver their output when drained is closed; nil is at once. With held they stay open after the program has ended.
type streams struct {
	drained chan struct{}
	held    *atomic.Bool // the result of Drain until Close
}

func (s streams) Start()      {}
func (s streams) CloseStdin() {}
func (s streams) Close() error {
	if s.held != nil {
		s.held.Store(false)
	}
	return nil
}

func (s streams) Drain(ctx context.Context) (bool, error) {
	if s.drained == nil {
		return s.held != nil && s.held.Load(), nil
	}
	select {
	case <-s.drained:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (w *world) task(t *testing.T, p *program, s streams) *task.Task {
	return task.New(task.Config{
		ID: "c", Container: w, Emit: w.emit, Stop: w.stop,
		Report: func(doing string, err error) { t.Logf("%s: %v", doing, err) },
	}, p, s, task.Stdio{})
}

func start(t *testing.T, p *task.Process) {
	t.Helper()
	if _, err := p.Start(context.Background()); err != nil {
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
	if diff := cmp.Diff(want, w.emitted()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
