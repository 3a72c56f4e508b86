package task

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
)

// Stop says how a process is asked to end in order, which is what SIGTERM asks for.
type Stop struct {
	// Signal is what the program gets in the place of container.SIGTERM; nil is container.SIGTERM.
	Signal *uint32
	// Grace is how long after the first container.SIGTERM a process is ended that still runs; 0 is never.
	Grace time.Duration
}

func (s Stop) signal() uint32 {
	if s.Signal == nil {
		return container.SIGTERM
	}
	return *s.Signal
}

// Kill sends a signal. SIGKILL ends the program; the others ask it to. It does not wait for the end. A
// process that was never started is simply stopped; one that has stopped is [errdefs.ErrNotFound], one that has
// ended and whose output is underway no error. SIGTERM is as the task's [Stop] says, and no SIGKILL waits for it.
func (p *Process) Kill(sig uint32) error {
	from, err := p.kill()
	switch {
	case err != nil:
		return err
	case from == Created:
		p.release()
		close(p.started)
		p.task.exited(p, p.Status())
		close(p.done)
		return nil
	case from == Starting:
		<-p.started
		return p.Kill(sig)
	case sig == container.SIGTERM:
		return p.stop()
	}
	return p.signal(sig)
}

// kill takes the step of a kill. It stops a process that was never started, and announces that as one thing with it.
func (p *Process) kill() (from State, err error) {
	p.task.order.Lock()
	defer p.task.order.Unlock()
	from, err = p.step(Kill, func(s *Status) {
		if s.State == Stopped {
			s.Exit, s.ExitedAt, s.Reason = container.Killed, p.task.now(), ReasonKilled
		}
	})
	if err == nil && from == Created {
		p.task.emitExit(p)(p.Status())
	}
	return from, err
}

// stop asks the program to end and, where there is a grace, sees to it that it does. What the program is asked with
// may be refused by the system: with a grace that is no reason to fail, for the end will come.
func (p *Process) stop() error {
	s := p.task.stop
	if s.Grace == 0 {
		return p.signal(s.signal())
	}
	p.mu.Lock()
	if p.end.deadline == nil && !p.end.over {
		p.end.deadline, p.end.due = time.AfterFunc(s.Grace, p.overdue), time.Now().Add(s.Grace)
	}
	p.mu.Unlock()
	if err := p.signal(s.signal()); err != nil {
		p.task.report("ask for the end of "+p.String(), err)
	}
	return nil
}

// overdue ends a process whose grace is over.
func (p *Process) overdue() {
	if err := p.signal(container.SIGKILL); err != nil {
		p.task.report("end "+p.String()+" after its grace", err)
	}
}

// signal passes a signal on to a program that has not ended. SIGKILL also ends the time that the processes which it left
// behind have to end.
func (p *Process) signal(sig uint32) error {
	p.mu.Lock()
	over := p.end.over
	if sig == container.SIGKILL && !p.end.killed {
		p.end.killed = true
		close(p.killed)
	}
	before := p.end.asked
	if sig != container.SIGKILL && !over {
		p.end.asked = &sig // before the program can end for it
	}
	p.mu.Unlock()
	if over {
		return nil
	}
	if err := p.process.Signal(context.Background(), sig); err != nil && !p.refused(before) {
		return fmt.Errorf("signal %s: %w", p, err)
	}
	return nil
}

// refused takes a signal back that the program did not get, and tells whether that is because it has ended.
func (p *Process) refused(before *uint32) (over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.end.over {
		p.end.asked = before
	}
	return p.end.over
}

// KillAll ends every process of the container, whoever started it, when sig is container.SIGKILL; any other signal goes
// to init and the execs.
func (t *Task) KillAll(sig uint32) error {
	for _, p := range t.Processes()[1:] {
		if err := p.Kill(sig); err != nil && !errdefs.IsNotFound(err) {
			t.report("kill "+p.String(), err)
		}
	}
	return t.Init.Kill(sig)
}
