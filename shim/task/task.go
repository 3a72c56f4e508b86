// Package task is the state machine of containerd's Task API: a [Task] for each container, with a [Process] for its init and
// for each exec.
//
// The table in state.go has the states of a process and the operations. After the start one goroutine runs the process:
//
//	launch -> emit started -> wait -> terminate the rest -> drain the output -> emit exit -> close done
//
// So the start event is before the exit event, and the output is delivered before a client gets the exit.
//
// The package uses neither kernel nor pipes, but the interfaces of package container and [IO]. It calls them without a lock.
// It emits events under a lock, because the events of a task must come in the order of its steps; Emit must not block.
package task

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/deadline"
)

// Config has the parts of a [Task].
type Config struct {
	// ID and Bundle are containerd's.
	ID, Bundle string
	// Container is the task's from now on: the task watches it, and Delete closes it.
	Container container.Container
	// Emit takes an event of containerd's api/events. It must not block.
	Emit func(event any)
	// Report takes failures that no request returns.
	Report func(doing string, err error)
	// Exited gets each exit after its event, before the requests that wait for it. Nil is allowed.
	Exited func(p *Process, s Status)
	// Stop is how SIGTERM ends the container's processes.
	Stop plan.Stop
	// Bounds default to [DefaultBounds].
	Bounds Bounds
	// Now defaults to [time.Now].
	Now func() time.Time
}

// Bounds are the longest times that a task waits for container and streams. Every such wait has one.
type Bounds struct {
	// Drain bounds the delivery of the output after the process has ended.
	Drain time.Duration
	// Terminate bounds the end of the processes that remain after init. The default is the container's own bound.
	Terminate time.Duration
	// Pause bounds Pause and Resume.
	Pause time.Duration
}

// DefaultBounds are the bounds of the shim. A reader that stalls for less than Drain loses nothing.
var DefaultBounds = Bounds{Drain: 30 * time.Second, Pause: 10 * time.Second}

// Task is a container with its init process and its execs. All methods are safe for concurrent use.
type Task struct {
	// Immutable after New.
	ID, Bundle string
	Init       *Process
	container  container.Container
	emit       func(any)
	report     func(string, error)
	exited     func(*Process, Status)
	stop       plan.Stop
	bounds     Bounds
	now        func() time.Time

	pauseMu deadline.Mutex // held while the container is paused or resumed
	eventMu sync.Mutex     // held over a step and its event; locked before mu

	// mu guards the fields below.
	mu      sync.Mutex
	execs   map[string]*Process
	ending  bool // the task ends the processes that run from now on
	lastOOM time.Time
}

// New makes a task in state Created. It emits nothing: the caller does, once clients can find the task.
func New(c Config, init container.Process, io IO, stdio Stdio) *Task {
	t := &Task{
		ID: c.ID, Bundle: c.Bundle, container: c.Container,
		emit: c.Emit, report: c.Report, bounds: c.Bounds, now: c.Now,
		exited: c.Exited, stop: c.Stop, pauseMu: deadline.NewMutex(),
		execs: map[string]*Process{},
	}
	if t.exited == nil {
		t.exited = func(*Process, Status) {}
	}
	if t.bounds == (Bounds{}) {
		t.bounds = DefaultBounds
	}
	if t.bounds.Pause == 0 {
		t.bounds.Pause = DefaultBounds.Pause
	}
	if t.bounds.Terminate == 0 {
		t.bounds.Terminate = t.container.TerminateTimeout()
	}
	if t.now == nil {
		t.now = time.Now
	}
	t.Init = newProcess(t, "", init, io, stdio)
	t.container.Watch(t.Notice)
	return t
}

// Container is the task's container.
func (t *Task) Container() container.Container { return t.container }

// Process finds init ("") or an exec, or fails with [errdefs.ErrNotFound].
func (t *Task) Process(execID string) (*Process, error) {
	if execID == "" {
		return t.Init, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.execs[execID]; ok {
		return p, nil
	}
	return nil, fmt.Errorf("exec %s of task %s: %w", execID, t.ID, errdefs.ErrNotFound)
}

// Processes lists init first, and the execs.
func (t *Task) Processes() []*Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := []*Process{t.Init}
	for _, p := range t.execs {
		all = append(all, p)
	}
	return all
}

// maxExecs bounds the execs of a task that exist at once. A kubelet has one for each probe that runs.
const maxExecs = 10_000

// CanExec returns the error that Exec would return for this id, or nil.
func (t *Task) CanExec(execID string) error {
	if execID == t.ID {
		return fmt.Errorf("exec %s: the id is the task's own: %w", execID, errdefs.ErrAlreadyExists)
	}
	if err := t.Init.check(Exec); err != nil {
		return err
	}
	if _, err := t.Process(execID); err == nil {
		return fmt.Errorf("exec %s of task %s: %w", execID, t.ID, errdefs.ErrAlreadyExists)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.roomForExec(execID)
}

// roomForExec fails with [errdefs.ErrResourceExhausted] while the task has as many execs as it may have. t.mu is held.
func (t *Task) roomForExec(execID string) error {
	if len(t.execs) >= maxExecs {
		return fmt.Errorf("exec %s: task %s has %d execs, and the limit is %d; delete those that have ended: %w", execID, t.ID, len(t.execs), maxExecs, errdefs.ErrResourceExhausted)
	}
	return nil
}

// CanUpdate fails with [errdefs.ErrFailedPrecondition] after the end of init.
func (t *Task) CanUpdate() error { return t.Init.check(Update) }

// Exec adds a process in state Created and emits the event.
func (t *Task) Exec(execID string, process container.Process, io IO, stdio Stdio) error {
	if err := t.CanExec(execID); err != nil {
		return err
	}
	t.mu.Lock()
	if _, taken := t.execs[execID]; taken {
		t.mu.Unlock()
		return fmt.Errorf("exec %s of task %s: %w", execID, t.ID, errdefs.ErrAlreadyExists)
	}
	if err := t.roomForExec(execID); err != nil {
		t.mu.Unlock()
		return err
	}
	t.execs[execID] = newProcess(t, execID, process, io, stdio)
	t.mu.Unlock()
	t.emit(&events.TaskExecAdded{ContainerID: t.ID, ExecID: execID})
	return nil
}

// Delete removes a process that has stopped or was never started, emits the event and returns the last status. With init
// it closes the container. It fails with [errdefs.ErrFailedPrecondition] while the process runs.
func (t *Task) Delete(ctx context.Context, execID string) (Status, error) {
	p, err := t.Process(execID)
	if err != nil {
		return Status{}, err
	}
	from, err := p.step(Delete, func(s *Status) {
		if s.ExitedAt.IsZero() {
			s.Exit = 0 // it never ran; runc's shim and hcsshim return 0 too
		}
	})
	if err != nil {
		return Status{}, err
	}
	if from == Created {
		p.release()
		close(p.started)
		close(p.done)
	}
	<-p.done
	p.closeIO()
	if p == t.Init {
		err = t.closeContainer(ctx)
	} else {
		t.mu.Lock()
		delete(t.execs, execID)
		t.mu.Unlock()
	}
	s := p.Status()
	t.emit(&events.TaskDelete{
		ContainerID: t.ID, ID: execID, Pid: s.Pid, ExitStatus: s.Exit, ExitedAt: Timestamp(s.ExitedAt),
	})
	return s, err
}
