package task

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
)

// Status is what State answers for a process.
type Status struct {
	State     State
	Pid       uint32
	StartedAt time.Time
	Exit      uint32
	ExitedAt  time.Time
}

// Process is a task's init or one of its execs. All methods are safe for concurrent use.
type Process struct {
	// Immutable after the task made it.
	ID      string // the exec id; "" is init
	Stdio   Stdio
	task    *Task
	program Program
	io      IO
	started chan struct{} // closed when the launch has succeeded or failed, or will not happen
	done    chan struct{} // closed when the story is over

	// mu guards the fields below.
	mu     sync.Mutex
	status Status
}

// Stdio names a process's streams as the client gave them.
type Stdio struct {
	Stdin, Stdout, Stderr string
	Terminal              bool
}

// unknownExit is what State shows before there is an exit status, and Wait when there will be none.
const unknownExit = 255

func newProcess(t *Task, id string, program Program, io IO, stdio Stdio) *Process {
	return &Process{
		ID: id, Stdio: stdio, task: t, program: program, io: io,
		started: make(chan struct{}), done: make(chan struct{}),
		status: Status{State: Created, Exit: unknownExit},
	}
}

// Status returns where the process stands.
func (p *Process) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
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

// String names the process for a person.
func (p *Process) String() string {
	if p.ID == "" {
		return "task " + p.task.ID
	}
	return "exec " + p.ID + " of task " + p.task.ID
}

// Start launches the program and returns its pid. It fails with [errdefs.ErrFailedPrecondition] unless the
// process is Created.
func (p *Process) Start() (uint32, error) {
	if _, err := p.step(Start, nil); err != nil {
		return 0, err
	}
	launched := make(chan error, 1)
	go p.story(launched) // ends by itself: every wait in it is bounded by the program's life and the task's bounds
	if err := <-launched; err != nil {
		return 0, fmt.Errorf("start %s: %w", p, err)
	}
	return p.Status().Pid, nil
}

// story is the life of a started process, told in order by one goroutine.
func (p *Process) story(launched chan<- error) {
	pid, err := p.program.Start()
	if err != nil {
		p.abandon()
		launched <- err
		return
	}
	p.must(p.step(Launched, func(s *Status) { s.Pid, s.StartedAt = pid, p.task.now() }))
	p.io.Start()
	p.task.emitStarted(p, pid)
	close(p.started)
	launched <- nil

	status, err := p.program.Wait(context.Background())
	if err != nil {
		p.task.report("wait for the end of "+p.String(), err)
		status = unknownExit
	}
	p.ended(status)
}

// ended delivers the rest of the output and announces the exit.
func (p *Process) ended(status uint32) {
	exitedAt := p.task.now()
	if p.ID == "" {
		p.task.endRest()
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.task.bounds.Drain)
	defer cancel()
	if err := p.io.Drain(ctx); err != nil {
		p.task.report("deliver the output of "+p.String(), err)
	}
	p.release()
	p.must(p.step(Exited, func(s *Status) { s.Exit, s.ExitedAt = status, exitedAt }))
	p.task.emitExit(p, p.Status())
	close(p.done)
}

// abandon ends a process whose launch failed. It has no exit to announce: it never started.
func (p *Process) abandon() {
	p.release()
	p.must(p.step(Failed, func(s *Status) { s.ExitedAt = p.task.now() }))
	close(p.started)
	close(p.done)
}

// release gives back streams and program.
func (p *Process) release() {
	if err := p.io.Close(); err != nil {
		p.task.report("close the streams of "+p.String(), err)
	}
	if err := p.program.Close(); err != nil {
		p.task.report("close "+p.String(), err)
	}
}

// must holds the story to the table: a refusal here is a bug of this package.
func (p *Process) must(_ State, err error) {
	if err != nil {
		panic(err)
	}
}

// Kill sends a signal. SIGKILL ends the program; the others ask it to. It does not wait for the end. A
// process that was never started is simply stopped; one that has stopped is [errdefs.ErrNotFound].
func (p *Process) Kill(sig uint32) error {
	from, err := p.step(Kill, func(s *Status) {
		if s.State == Stopped {
			s.Exit, s.ExitedAt = Killed, p.task.now()
		}
	})
	switch {
	case err != nil:
		return err
	case from == Created:
		p.release()
		close(p.started)
		p.task.emitExit(p, p.Status())
		close(p.done)
		return nil
	case from == Starting:
		<-p.started
		return p.Kill(sig)
	}
	if err := p.program.Signal(sig); err != nil && p.Status().State == Running {
		return fmt.Errorf("signal %s: %w", p, err)
	}
	return nil
}

// Resize sets the size of the console. Without a console it is [errdefs.ErrFailedPrecondition]; before the
// start and after the end it does nothing.
func (p *Process) Resize(width, height uint32) error {
	if !p.Stdio.Terminal {
		return fmt.Errorf("resize %s: it has no terminal: %w", p, errdefs.ErrFailedPrecondition)
	}
	from, err := p.step(Resize, nil)
	if err != nil || from != Running {
		return err
	}
	if err := p.program.Resize(width, height); err != nil {
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
