package task

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
)

// Stop is how a process is ended by SIGTERM.
type Stop struct {
	// Signal is sent in place of container.SIGTERM; nil is container.SIGTERM.
	Signal *uint32
	// Grace is the time from the first container.SIGTERM to SIGKILL, if the process still runs; 0 is no SIGKILL.
	Grace time.Duration
}

func (s Stop) signal() uint32 {
	if s.Signal == nil {
		return container.SIGTERM
	}
	return *s.Signal
}

// Kill sends a signal and does not wait for the end. SIGKILL ends the program; SIGTERM is as the task's [Stop]; SIGKILL
// does not wait for a grace period. A process that was never started becomes Stopped. A process that has stopped is
// [errdefs.ErrNotFound]; a program that has ended with undelivered output is no error.
func (p *Process) Kill(sig uint32) error {
	from, err := p.stepKill()
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

// stepKill takes the step of a kill. The stop of a process that was never started and its event are atomic.
func (p *Process) stepKill() (from State, err error) {
	p.task.eventMu.Lock()
	defer p.task.eventMu.Unlock()
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

// stop sends the stop signal and, with a grace period, SIGKILL after it. With a grace period a signal that cannot be sent is
// no error, because the SIGKILL follows.
func (p *Process) stop() error {
	s := p.task.stop
	if s.Grace == 0 {
		return p.signal(s.signal())
	}
	p.mu.Lock()
	if p.exit.graceKill == nil && !p.exit.ended {
		p.exit.graceKill, p.exit.graceEnds = time.AfterFunc(s.Grace, p.killAfterGrace), time.Now().Add(s.Grace)
	}
	p.mu.Unlock()
	if err := p.signal(s.signal()); err != nil {
		p.task.report("send the stop signal to "+p.String(), err)
	}
	return nil
}

func (p *Process) killAfterGrace() {
	if err := p.signal(container.SIGKILL); err != nil {
		p.task.report("kill "+p.String()+" after its grace period", err)
	}
}

// signal sends a signal to a program that has not ended. SIGKILL also ends the wait for the remaining processes.
func (p *Process) signal(sig uint32) error {
	p.mu.Lock()
	ended := p.exit.ended
	if sig == container.SIGKILL && !p.exit.killed {
		p.exit.killed = true
		close(p.killed)
	}
	before := p.exit.signal
	if sig != container.SIGKILL && !ended {
		p.exit.signal = &sig // before the program can end because of it
	}
	p.mu.Unlock()
	if ended {
		return nil
	}
	if err := p.process.Signal(context.Background(), sig); err != nil && !p.undoSignal(before) {
		return fmt.Errorf("signal %s: %w", p, err)
	}
	return nil
}

// undoSignal restores the last signal if one could not be sent, and reports whether that is because the program has ended.
func (p *Process) undoSignal(before *uint32) (ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.exit.ended {
		p.exit.signal = before
	}
	return p.exit.ended
}

// KillAll sends a signal to init and the execs. SIGKILL to init ends every process of the container.
func (t *Task) KillAll(sig uint32) error {
	for _, p := range t.Processes()[1:] {
		if err := p.Kill(sig); err != nil && !errdefs.IsNotFound(err) {
			t.report("kill "+p.String(), err)
		}
	}
	return t.Init.Kill(sig)
}
