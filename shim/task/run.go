package task

import (
	"context"
	"time"

	"github.com/siloshim/siloshim/internal/deadline"
)

// run runs a process from its launch to its exit, on one goroutine. ctx is that of the launch and is never done.
func (p *Process) run(ctx context.Context, launched chan<- error) {
	pid, err := p.process.Start(ctx)
	if err != nil {
		p.failLaunch()
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
	p.finish(status, p.markEnded(status, err))
}

// finish delivers the rest of the output and emits the exit. Each call in it has a bound: one that hangs delays the exit
// no longer than that.
func (p *Process) finish(status uint32, reason Reason) {
	exitedAt := p.task.now()
	if p.ID == "" {
		p.task.terminateRest()
	}
	if held := p.drain(); !held {
		p.closeIO()
	}
	p.closeProgram()
	p.advance(Exited, func(s *Status) { s.Exit, s.ExitedAt, s.Reason = status, exitedAt, reason }, p.task.emitExit(p))
	p.task.exited(p, p.Status())
	close(p.done)
}

// failLaunch stops a process whose launch has failed. It has no exit event: it never started.
func (p *Process) failLaunch() {
	p.release()
	p.advance(Failed, func(s *Status) { s.ExitedAt = p.task.now() }, func(Status) {})
	close(p.started)
	close(p.done)
}

// lateReturn is how long after the end of its context a call may take to return.
const lateReturn = time.Second

// drain delivers the output and reports whether another process keeps it open.
func (p *Process) drain() (held bool) {
	ctx, cancel := context.WithTimeout(context.Background(), p.task.bounds.Drain)
	defer cancel()
	held, err := deadline.Value(p.task.bounds.Drain+lateReturn, func() (bool, error) { return p.io.Drain(ctx) })
	if err != nil {
		p.task.report("deliver the output of "+p.String(), err)
	}
	return held
}

// release closes the streams and then the program: the close of a console waits for its output to be read.
func (p *Process) release() {
	p.closeIO()
	p.closeProgram()
}

// closeIO closes the streams. Delete calls it again: held streams stay open after the exit.
func (p *Process) closeIO() {
	if err := deadline.Call(p.task.bounds.Drain, p.io.Close); err != nil {
		p.task.report("close the streams of "+p.String(), err)
	}
}

func (p *Process) closeProgram() {
	if err := deadline.Call(p.task.bounds.Drain, p.process.Close); err != nil {
		p.task.report("close "+p.String(), err)
	}
}

// outcomes are the states after the process's own steps.
var outcomes = map[Op]State{Launched: Running, Failed: Stopped, Exited: Stopped}

// advance is stepAndEmit for the process's own steps, which the table always allows. A refusal is a bug of this package. It
// is reported, and the step is taken with [ReasonLost]: the shim has other tasks, and clients wait for the exit.
func (p *Process) advance(op Op, change func(*Status), emit func(Status)) {
	err := p.stepAndEmit(op, change, emit)
	if err == nil {
		return
	}
	p.task.report("change the state of "+p.String(), err)
	p.task.eventMu.Lock()
	defer p.task.eventMu.Unlock()
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
		emit(s)
	}
}
