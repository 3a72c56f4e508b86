package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/internal/deadline"
)

// RestGrace is how long the remaining processes may take to end if init ended after a signal.
const RestGrace = 5 * time.Second

// terminateRest ends the processes that remain when init has ended, and waits for the exits of the execs, so that init's
// is the last. If init was sent a signal, the remaining processes get it first.
func (t *Task) terminateRest() {
	t.signalRest()
	ctx, cancel := context.WithTimeout(context.Background(), t.bounds.Terminate)
	defer cancel()
	t.markEnding()
	if err := deadline.Call(t.bounds.Terminate, func() error { return t.container.Terminate(ctx, container.Killed) }); err != nil {
		t.report("terminate the remaining processes of task "+t.ID, err)
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

// signalRest sends the remaining processes the signal that init got, and waits until they have ended or their time is over.
// SIGKILL ends the wait.
func (t *Task) signalRest() {
	sig, left := t.Init.restGrace()
	if left <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	go func() { // ends with ctx
		select {
		case <-t.Init.killed:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := deadline.Call(left+lateReturn, func() error { return t.container.Stop(ctx, sig) }); err != nil && !errors.Is(err, container.ErrUnsupported) {
		t.report("signal the remaining processes of task "+t.ID, err)
	}
}

// restGrace returns the last signal that the process got, and how long the remaining processes have to end after it: 0
// without a signal, or after SIGKILL.
func (p *Process) restGrace() (sig uint32, left time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exit.signal == nil || p.exit.killed {
		return 0, 0
	}
	left = RestGrace
	if !p.exit.graceEnds.IsZero() {
		left = min(left, time.Until(p.exit.graceEnds))
	}
	return *p.exit.signal, left
}

// closeContainer ends what may be left of the container and closes it. It goes on after a failure, so that as much as
// possible is released.
func (t *Task) closeContainer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.bounds.Terminate)
	defer cancel()
	t.markEnding()
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

// markEnding records that the task ends the processes that run from now on.
func (t *Task) markEnding() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ending = true
}

func (t *Task) isEnding() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ending
}
