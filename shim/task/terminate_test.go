package task_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/task"
)

// stoppable is a container with processes that remain after init. They take a while to end after a signal.
type stoppable struct {
	*world
	takes      time.Duration // until they end; 0 is for ever
	ignoresCtx bool          // Stop does
	signals    []uint32      // guarded by mu of the container
	terminated time.Duration // when, after began
	began      time.Time     // the end of init
}

func (s *stoppable) Stop(ctx context.Context, sig uint32) error {
	s.mu.Lock()
	s.signals = append(s.signals, sig)
	s.mu.Unlock()
	var done <-chan time.Time
	if s.takes > 0 {
		done = time.After(s.takes)
	}
	if s.ignoresCtx {
		ctx = context.Background()
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	return nil
}

func (s *stoppable) Terminate(ctx context.Context, status uint32) error {
	s.terminated = time.Since(s.began)
	return s.world.Terminate(ctx, status)
}

// TestTask_InitEndsOnSignal_RestGetsItAndTime: the remaining processes get the signal of init. They are terminated when they
// have ended, when their time is over, or after SIGKILL. If init got no signal they have no time.
func TestTask_InitEndsOnSignal_RestGetsItAndTime(t *testing.T) {
	const second = time.Second
	for name, c := range map[string]struct {
		stop   plan.Stop
		sig    uint32        // to init; 0 is none
		after  time.Duration // until init ends
		takes  time.Duration
		hangs  bool          // Stop ignores its context
		kill   time.Duration // SIGKILL so long after init's end; 0 is none
		refuse bool          // the signal
		want   []uint32      // the signals
		left   time.Duration // between init's end and the termination
	}{
		"it ends in time":                {sig: container.SIGTERM, takes: 2 * second, want: []uint32{15}, left: 2 * second},
		"it does not end":                {sig: container.SIGTERM, want: []uint32{15}, left: 5 * second},
		"the signal is another":          {sig: 1, want: []uint32{1}, left: 5 * second},
		"the stop signal is another":     {stop: plan.Stop{Signal: new(uint32(0))}, sig: container.SIGTERM, want: []uint32{0}, left: 5 * second},
		"a long grace":                   {stop: plan.Stop{Grace: time.Minute}, sig: container.SIGTERM, want: []uint32{15}, left: 5 * second},
		"a grace that is nearly over":    {stop: plan.Stop{Grace: 7 * second}, sig: container.SIGTERM, after: 4 * second, want: []uint32{15}, left: 3 * second},
		"SIGKILL meanwhile":              {sig: container.SIGTERM, kill: second, want: []uint32{15}, left: second},
		"SIGKILL before the end of init": {sig: container.SIGKILL},
		"init ends by itself":            {},
		"init was not reached":           {sig: 1, refuse: true},
		"a call that hangs":              {sig: container.SIGTERM, takes: time.Hour, hangs: true, want: []uint32{15}, left: 6 * second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &stoppable{world: &world{}, takes: c.takes, ignoresCtx: c.hangs, began: time.Now().Add(c.after)}
				p := w.program()
				if c.refuse {
					p.refuseSignal = errors.ErrUnsupported
				}
				tk := task.New(task.Config{
					ID: "c", Container: w, Emit: w.emit, Stop: c.stop,
					Report: func(doing string, err error) { t.Logf("%s: %v", doing, err) },
				}, p, streams{}, task.Stdio{})
				start(t, tk.Init)
				if c.sig != 0 {
					if err := tk.Init.Kill(c.sig); (err != nil) != c.refuse {
						t.Errorf("kill: %v", err)
					}
				}
				time.Sleep(c.after)
				p.end(0)
				if c.kill > 0 {
					time.Sleep(c.kill)
					if err := tk.Init.Kill(container.SIGKILL); err != nil {
						t.Error(err)
					}
				}
				<-tk.Init.Done()
				defer time.Sleep(c.takes) // a call that hangs ends
				if w.terminated != c.left {
					t.Errorf("the rest was terminated %s after the end of init, want %s", w.terminated, c.left)
				}
				w.want(t, "start", "exit c")
				w.mu.Lock()
				defer w.mu.Unlock()
				if diff := cmp.Diff(c.want, w.signals); diff != "" {
					t.Errorf("the signals of the rest (-want +got):\n%s", diff)
				}
			})
		})
	}
}
