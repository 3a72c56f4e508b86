package task

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/internal/deadline"
)

// Status is what State answers for a process.
type Status struct {
	State     State
	Pid       uint32
	StartedAt time.Time
	Exit      uint32
	ExitedAt  time.Time
	Reason    Reason
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
	end    end
}

// Stdio names a process's streams as the client gave them.
type Stdio struct {
	Stdin, Stdout, Stderr string
	Terminal              bool
}

// unknownExit is what State shows before there is an exit status, and Wait when there will be none.
const unknownExit = 255

func newProcess(t *Task, id string, process container.Process, io IO, stdio Stdio) *Process {
	return &Process{
		ID: id, Stdio: stdio, task: t, process: process, io: io,
		started: make(chan struct{}), killed: make(chan struct{}), done: make(chan struct{}),
		status: Status{State: Created, Exit: unknownExit},
	}
}

// Status returns where the process stands. An exec that runs in a paused task is Paused.
func (p *Process) Status() Status {
	p.mu.Lock()
	s := p.status
	p.mu.Unlock()
	if s.State == Running && p.task.Init != p && p.task.Init.Status().State == Paused {
		s.State = Paused
	}
	return s
}

// Done is closed once the process has stopped and its output has been delivered.
func (p *Process) Done() <-chan struct{} { return p.done }

// step moves the process through the table and lets change adjust the status, all at once.
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

// can says why op would be refused, if it would.
func (p *Process) can(op Op) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.status.State.next(op); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	return nil
}

// tell moves the process and announces it, as one thing: what is announced of a task comes in the order in which it
// happened, whoever announces it.
func (p *Process) tell(op Op, change func(*Status), announce func(Status)) error {
	p.task.order.Lock()
	defer p.task.order.Unlock()
	if _, err := p.step(op, change); err != nil {
		return err
	}
	announce(p.Status())
	return nil
}

// String names the process for a person.
func (p *Process) String() string {
	if p.ID == "" {
		return "task " + p.task.ID
	}
	return "exec " + p.ID + " of task " + p.task.ID
}

// Start launches the program and returns its pid. It fails with [errdefs.ErrFailedPrecondition] unless the
// process is Created, and for an exec, its task Running.
func (p *Process) Start(ctx context.Context) (uint32, error) {
	if p != p.task.Init {
		if err := p.task.Init.can(Exec); err != nil {
			return 0, err
		}
	}
	if _, err := p.step(Start, nil); err != nil {
		return 0, err
	}
	launched := make(chan error, 1)
	go p.run(context.WithoutCancel(ctx), launched) // ends by itself: every wait in it is bounded by the program's life and the task's bounds
	if err := <-launched; err != nil {
		return 0, fmt.Errorf("start %s: %w", p, err)
	}
	return p.Status().Pid, nil
}

// run is the life of a started process, on one goroutine. ctx is that of the launch and is never done.
func (p *Process) run(ctx context.Context, launched chan<- error) {
	pid, err := p.process.Start(ctx)
	if err != nil {
		p.abandon()
		launched <- err
		return
	}
	p.io.Start()
	p.advance(Launched, func(s *Status) { s.Pid, s.StartedAt = pid, p.task.now() }, p.task.emitStarted(p))
	close(p.started)
	launched <- nil

	status, err := p.process.Wait(context.Background())
	if err != nil {
		p.task.report("wait for the end of "+p.String(), err)
		status = unknownExit
	}
	p.ended(status, p.over(status, err))
}

// ended delivers the rest of the output and announces the exit. Each call on the way is bounded: one that hangs must not
// keep the exit from being announced.
func (p *Process) ended(status uint32, reason Reason) {
	exitedAt := p.task.now()
	if p.ID == "" {
		p.task.endRest()
	}
	if held := p.drain(); !held {
		p.closeIO()
	}
	p.closeProgram()
	p.advance(Exited, func(s *Status) { s.Exit, s.ExitedAt, s.Reason = status, exitedAt, reason }, p.task.emitExit(p))
	p.task.exited(p, p.Status())
	close(p.done)
}

// lateReturn is how long after the end of its context a call may take to return.
const lateReturn = time.Second

// drain delivers the output and tells whether another program keeps it open.
func (p *Process) drain() (held bool) {
	ctx, cancel := context.WithTimeout(context.Background(), p.task.bounds.Drain)
	defer cancel()
	answer := make(chan bool, 1)
	err := deadline.Call(p.task.bounds.Drain+lateReturn, func() error {
		held, err := p.io.Drain(ctx)
		answer <- held
		return err
	})
	if err != nil {
		p.task.report("deliver the output of "+p.String(), err)
	}
	select {
	case held = <-answer:
	default: // Drain hangs
	}
	return held
}

// abandon ends a process whose launch failed. It has no exit to announce: it never started.
func (p *Process) abandon() {
	p.release()
	p.advance(Failed, func(s *Status) { s.ExitedAt = p.task.now() }, func(Status) {})
	close(p.started)
	close(p.done)
}

// release closes streams and program, the streams first: the close of a console waits for its output to be read.
func (p *Process) release() {
	p.closeIO()
	p.closeProgram()
}

// closeIO ends the streams, within a bound. Delete does so again: they may have been held beyond the end of the program.
func (p *Process) closeIO() {
	if err := deadline.Call(p.task.bounds.Drain, p.io.Close); err != nil {
		p.task.report("close the streams of "+p.String(), err)
	}
}

// closeProgram closes the program, within a bound.
func (p *Process) closeProgram() {
	if err := deadline.Call(p.task.bounds.Drain, p.process.Close); err != nil {
		p.task.report("close "+p.String(), err)
	}
}

// outcomes are the states that the process's own steps lead to.
var outcomes = map[Op]State{Launched: Running, Failed: Stopped, Exited: Stopped}

// advance is [Process.tell] for the process's own steps, which the table allows wherever they are taken. A refusal is a
// bug of this package: it is reported and the step is taken all the same, with the reason lost. The other tasks of the
// shim live on, and clients that wait for the end of this process get it.
func (p *Process) advance(op Op, change func(*Status), announce func(Status)) {
	err := p.tell(op, change, announce)
	if err == nil {
		return
	}
	p.task.report("keep the state of "+p.String(), err)
	p.task.order.Lock()
	defer p.task.order.Unlock()
	p.mu.Lock()
	deleted := p.status.State == Deleted
	if !deleted {
		p.status.State = outcomes[op]
	}
	change(&p.status)
	p.status.Reason = ReasonLost
	s := p.status
	p.mu.Unlock()
	if !deleted {
		announce(s)
	}
}

// Resize sets the size of the console. Without a console it is [errdefs.ErrFailedPrecondition]; before the
// start and after the end it does nothing.
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

// Wait returns the status once the process has stopped and its output has been delivered.
func (p *Process) Wait(ctx context.Context) (Status, error) {
	select {
	case <-p.done:
		return p.Status(), nil
	case <-ctx.Done():
		return Status{}, fmt.Errorf("wait for %s: %w", p, ctx.Err())
	}
}
