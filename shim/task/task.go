package task

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/internal/deadline"
)

// Config is what a task is made of.
type Config struct {
	// ID and Bundle are containerd's. Rootfs goes into the create event as it came.
	ID, Bundle string
	// Container is the task's from now on: Delete closes it.
	Container container.Container
	// Emit takes an event of containerd's api/events. It must not block.
	Emit func(event any)
	// Report takes what went wrong where nobody waits for an answer.
	Report func(doing string, err error)
	// Exited is told of each exit once it is announced, before anybody who waits; nil is nobody.
	Exited func(p *Process, s Status)
	// Stop says how the container's processes are asked to end.
	Stop Stop
	// Bounds default to [DefaultBounds].
	Bounds Bounds
	// Now defaults to [time.Now].
	Now func() time.Time
}

// Task is a container with its init process and its execs. All methods are safe for concurrent use.
type Task struct {
	// Immutable after New.
	ID, Bundle string
	Init       *Process
	container  container.Container
	emit       func(any)
	report     func(string, error)
	exited     func(*Process, Status)
	stop       Stop
	turn       chan struct{} // holds a value while the task is paused or resumed
	bounds     Bounds
	now        func() time.Time

	// order is held over a change of state and its announcement. It is taken before any other lock.
	order sync.Mutex

	// mu guards the fields below.
	mu     sync.Mutex
	execs  map[string]*Process
	ending bool      // what runs from now on was ended by the task
	oom    time.Time // of the last TaskOOM
}

// New makes a task in state Created and announces nothing: the caller does, once it is reachable.
func New(c Config, init container.Process, io IO, stdio Stdio) *Task {
	t := &Task{
		ID: c.ID, Bundle: c.Bundle, container: c.Container,
		emit: c.Emit, report: c.Report, bounds: c.Bounds, now: c.Now,
		exited: c.Exited, stop: c.Stop, turn: make(chan struct{}, 1),
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
	return t
}

// Container is what the task runs in.
func (t *Task) Container() container.Container { return t.container }

// Process finds init ("" or the task's own id) or an exec, or fails with [errdefs.ErrNotFound].
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

// Processes lists init and the execs.
func (t *Task) Processes() []*Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := []*Process{t.Init}
	for _, p := range t.execs {
		all = append(all, p)
	}
	return all
}

// CanExec says why an exec of this id would be refused, if it would.
func (t *Task) CanExec(execID string) error {
	if execID == t.ID {
		return fmt.Errorf("exec %s: the id is the task's own: %w", execID, errdefs.ErrAlreadyExists)
	}
	if err := t.Init.can(Exec); err != nil {
		return err
	}
	if _, err := t.Process(execID); err == nil {
		return fmt.Errorf("exec %s of task %s: %w", execID, t.ID, errdefs.ErrAlreadyExists)
	}
	return nil
}

// CanUpdate says why new limits would be refused, if they would.
func (t *Task) CanUpdate() error { return t.Init.can(Update) }

// Exec adds a process in state Created and announces it.
func (t *Task) Exec(execID string, process container.Process, io IO, stdio Stdio) error {
	if err := t.CanExec(execID); err != nil {
		return err
	}
	t.mu.Lock()
	if _, taken := t.execs[execID]; taken {
		t.mu.Unlock()
		return fmt.Errorf("exec %s of task %s: %w", execID, t.ID, errdefs.ErrAlreadyExists)
	}
	t.execs[execID] = newProcess(t, execID, process, io, stdio)
	t.mu.Unlock()
	t.emit(&events.TaskExecAdded{ContainerID: t.ID, ExecID: execID})
	return nil
}

// Delete forgets a stopped or never started process, announces it and returns its last status. Deleting init
// closes the container; it is refused with [errdefs.ErrFailedPrecondition] while init runs.
func (t *Task) Delete(ctx context.Context, execID string) (Status, error) {
	p, err := t.Process(execID)
	if err != nil {
		return Status{}, err
	}
	from, err := p.step(Delete, func(s *Status) {
		if s.ExitedAt.IsZero() {
			s.Exit = 0 // it never ran, and nothing of it has failed: so say runc's shim and hcsshim
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
		err = t.dissolve(ctx)
	} else {
		t.mu.Lock()
		delete(t.execs, execID)
		t.mu.Unlock()
	}
	s := p.Status()
	t.emit(&events.TaskDelete{
		ContainerID: t.ID, ID: execID, Pid: s.Pid, ExitStatus: s.Exit, ExitedAt: stamp(s.ExitedAt),
	})
	return s, err
}

// dissolve ends what may be left of the container and gives it back. It goes on after a failure: whatever can be
// released is.
func (t *Task) dissolve(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.bounds.Terminate)
	defer cancel()
	t.end()
	err := deadline.Call(t.bounds.Terminate, func() error { return t.container.Terminate(ctx, container.Killed) })
	t.mu.Lock()
	execs := t.execs
	t.execs = map[string]*Process{}
	t.mu.Unlock()
	for _, p := range execs {
		if killErr := p.Kill(container.SIGKILL); killErr != nil && !errdefs.IsNotFound(killErr) {
			err = errors.Join(err, killErr)
		}
		p.closeIO()
	}
	if err = errors.Join(err, deadline.Call(t.bounds.Terminate, t.container.Close)); err != nil {
		return fmt.Errorf("delete task %s: %w", t.ID, err)
	}
	return nil
}

// endRest ends what init left behind and waits until the execs have told their exits, so that init's is the last. Where
// init was asked to end, the others are, too.
func (t *Task) endRest() {
	t.stopRest()
	ctx, cancel := context.WithTimeout(context.Background(), t.bounds.Terminate)
	defer cancel()
	t.end()
	if err := deadline.Call(t.bounds.Terminate, func() error { return t.container.Terminate(ctx, container.Killed) }); err != nil {
		t.report("end the processes that init of task "+t.ID+" left behind", err)
	}
	for _, p := range t.Processes()[1:] {
		if s := p.Status().State; !s.Live() && s != Starting {
			continue
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			return
		}
	}
}

// end marks what runs as ended by the task.
func (t *Task) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ending = true
}
