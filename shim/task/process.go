package task

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
)

// Status is what State returns for a process.
type Status struct {
	State     State
	Pid       uint32
	StartedAt time.Time
	Exit      uint32
	ExitedAt  time.Time
	Reason    Reason
}

// IO carries a process's standard streams to and from the client. Package stdio implements it.
type IO interface {
	// Start begins to carry. It is called once the process runs.
	Start()
	// CloseStdin ends the process's input after what the client has sent.
	CloseStdin()
	// Drain returns when all output is delivered, or with ctx. It returns held if the process has ended and another that it
	// started keeps its output open: delivery then goes on until Close.
	Drain(ctx context.Context) (held bool, err error)
	// Close ends the streams. It may be called again.
	Close() error
}

// Process is a task's init or one of its execs. All methods are safe for concurrent use.
type Process struct {
	// Immutable after the task made it.
	ID      string // the exec id; "" is init
	Stdio   Stdio
	task    *Task
	process container.Process
	io      IO
	started chan struct{} // closed when the launch has succeeded or failed, or will not happen
	killed  chan struct{} // closed when SIGKILL was sent
	done    chan struct{} // closed when run has returned

	// mu guards the fields below.
	mu     sync.Mutex
	status Status
	exit   exit
}

// Stdio names a process's streams as the client gave them.
type Stdio struct {
	Stdin, Stdout, Stderr string
	Terminal              bool
}

// unknownExit is the exit status before the exit, and after a wait that has failed.
const unknownExit = 255

func newProcess(t *Task, id string, process container.Process, io IO, stdio Stdio) *Process {
	return &Process{
		ID: id, Stdio: stdio, task: t, process: process, io: io,
		started: make(chan struct{}), killed: make(chan struct{}), done: make(chan struct{}),
		status: Status{State: Created, Exit: unknownExit},
	}
}

// Status returns the current status. An exec that runs in a paused task is Paused.
func (p *Process) Status() Status {
	p.mu.Lock()
	s := p.status
	p.mu.Unlock()
	if s.State == Running && p.task.Init != p && p.task.Init.Status().State == Paused {
		s.State = Paused
	}
	return s
}

// Done is closed once the process has stopped and its output was delivered.
func (p *Process) Done() <-chan struct{} { return p.done }

// step moves the process through the table. change, which may be nil, adjusts the status atomically with the step.
func (p *Process) step(op Op, change func(*Status)) (from State, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from = p.status.State
	next, err := from.next(op)
	if err != nil {
		return from, fmt.Errorf("%s: %w", p, err)
	}
	p.status.State = next
	if change != nil {
		change(&p.status)
	}
	return from, nil
}

// check returns the error of a step without taking it.
func (p *Process) check(op Op) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.status.State.next(op); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	return nil
}

// stepAndEmit takes a step and emits its event atomically: the events of a task come in the order of its steps.
func (p *Process) stepAndEmit(op Op, change func(*Status), emit func(Status)) error {
	p.task.eventMu.Lock()
	defer p.task.eventMu.Unlock()
	if _, err := p.step(op, change); err != nil {
		return err
	}
	emit(p.Status())
	return nil
}

// String names the process in errors and logs.
func (p *Process) String() string {
	if p.ID == "" {
		return "task " + p.task.ID
	}
	return "exec " + p.ID + " of task " + p.task.ID
}

// Start launches the program and returns its pid. It fails with [errdefs.ErrFailedPrecondition] unless the process is
// Created and, for an exec, its task Running.
func (p *Process) Start(ctx context.Context) (uint32, error) {
	if p != p.task.Init {
		if err := p.task.Init.check(Exec); err != nil {
			return 0, err
		}
	}
	if _, err := p.step(Start, nil); err != nil {
		return 0, err
	}
	launched := make(chan error, 1)
	go p.run(context.WithoutCancel(ctx), launched) // ends with the program: the task's bounds limit every other wait in it
	if err := <-launched; err != nil {
		return 0, fmt.Errorf("start %s: %w", p, err)
	}
	return p.Status().Pid, nil
}

// Resize sets the size of the console. Without a console it is [errdefs.ErrFailedPrecondition]; before the start and after
// the end it does nothing.
func (p *Process) Resize(ctx context.Context, width, height uint32) error {
	if !p.Stdio.Terminal {
		return fmt.Errorf("resize %s: it has no terminal: %w", p, errdefs.ErrFailedPrecondition)
	}
	from, err := p.step(Resize, nil)
	if err != nil || !from.Live() {
		return err
	}
	if err := p.process.Resize(ctx, width, height); err != nil {
		return fmt.Errorf("resize %s: %w", p, err)
	}
	return nil
}

// CloseStdin ends the program's input after what the client has sent.
func (p *Process) CloseStdin() { p.io.CloseStdin() }

// Wait returns the status once the process has stopped and its output was delivered, or fails with ctx.
func (p *Process) Wait(ctx context.Context) (Status, error) {
	select {
	case <-p.done:
		return p.Status(), nil
	case <-ctx.Done():
		return Status{}, fmt.Errorf("wait for %s: %w", p, ctx.Err())
	}
}
