package task

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
)

// stopSignal is what is sent for SIGTERM.
func (t *Task) stopSignal() uint32 {
	if t.stop.Signal == nil {
		return container.SIGTERM
	}
	return *t.stop.Signal
}

// Kill sends a signal and does not wait for the end. SIGKILL ends the program; SIGTERM is as the task's [plan.Stop]; SIGKILL
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
	sig, grace := p.task.stopSignal(), p.task.stop.Grace
	if grace == 0 {
		return p.signal(sig)
	}
	p.mu.Lock()
	if p.exit.graceKill == nil && !p.exit.ended {
		p.exit.graceKill, p.exit.graceEnds = time.AfterFunc(grace, p.killAfterGrace), time.Now().Add(grace)
	}
	p.mu.Unlock()
	if err := p.signal(sig); err != nil {
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
