package task_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/shim/task"
)

// stoppable is a container with processes that init leaves behind. They take their time to end when they are asked to.
type stoppable struct {
	*world
	takes      time.Duration // to end; 0 is for ever
	deaf       bool          // Stop does not heed its context
	asked      []uint32      // guarded by mu of the world
	terminated time.Duration // when, after began
	began      time.Time     // the end of init
}

func (s *stoppable) Stop(ctx context.Context, sig uint32) error {
	s.mu.Lock()
	s.asked = append(s.asked, sig)
	s.mu.Unlock()
	var done <-chan time.Time
	if s.takes > 0 {
		done = time.After(s.takes)
	}
	if s.deaf {
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

// TestTask_InitEndsOnASignal_RestIsAskedAndGivenTime: what init leaves behind is asked as init was, and terminated when it
// has ended, when its time is over or when SIGKILL comes. An end of init that nobody has asked for leaves no time.
func TestTask_InitEndsOnASignal_RestIsAskedAndGivenTime(t *testing.T) {
	const second = time.Second
	for name, c := range map[string]struct {
		stop   task.Stop
		sig    uint32        // to init; 0 is none
		after  time.Duration // until init ends
		takes  time.Duration
		deaf   bool
		kill   time.Duration // SIGKILL so long after init's end; 0 is none
		refuse bool          // the signal
		asked  []uint32
		left   time.Duration // between init's end and the termination
	}{
		"it ends in time":                {sig: container.SIGTERM, takes: 2 * second, asked: []uint32{15}, left: 2 * second},
		"it does not end":                {sig: container.SIGTERM, asked: []uint32{15}, left: 5 * second},
		"the signal is another":          {sig: 1, asked: []uint32{1}, left: 5 * second},
		"the stop signal is another":     {stop: task.Stop{Signal: new(uint32(0))}, sig: container.SIGTERM, asked: []uint32{0}, left: 5 * second},
		"a long grace":                   {stop: task.Stop{Grace: time.Minute}, sig: container.SIGTERM, asked: []uint32{15}, left: 5 * second},
		"a grace that is nearly over":    {stop: task.Stop{Grace: 7 * second}, sig: container.SIGTERM, after: 4 * second, asked: []uint32{15}, left: 3 * second},
		"SIGKILL meanwhile":              {sig: container.SIGTERM, kill: second, asked: []uint32{15}, left: second},
		"SIGKILL before the end of init": {sig: container.SIGKILL},
		"init ends by itself":            {},
		"init was not reached":           {sig: 1, refuse: true},
		"a call that hangs":              {sig: container.SIGTERM, takes: time.Hour, deaf: true, asked: []uint32{15}, left: 6 * second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &stoppable{world: &world{}, takes: c.takes, deaf: c.deaf, began: time.Now().Add(c.after)}
				p := w.program()
				if c.refuse {
					p.deaf = errors.ErrUnsupported
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
				if diff := cmp.Diff(c.asked, w.asked); diff != "" {
					t.Errorf("the rest was asked with (-want +got):\n%s", diff)
				}
			})
		})
	}
}
