package task

import (
	"context"
	"errors"
	"time"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/internal/deadline"
)

// RestGrace is how long the processes that init leaves behind may take to end, when it was asked to end and they are.
const RestGrace = 5 * time.Second

// stopRest asks the processes that init leaves behind to end, as init was asked, and waits for that. SIGKILL ends the
// wait. What is left after it is terminated.
func (t *Task) stopRest() {
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
		t.report("ask the processes that init of task "+t.ID+" left behind to end", err)
	}
}

// restGrace tells with what signal the process was asked to end, and how long those that it leaves behind have: no time
// if it was not asked, or was killed.
func (p *Process) restGrace() (sig uint32, left time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end.asked == nil || p.end.killed {
		return 0, 0
	}
	left = RestGrace
	if !p.end.due.IsZero() {
		left = min(left, time.Until(p.end.due))
	}
	return *p.end.asked, left
}
