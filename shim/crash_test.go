package shim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/log"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim"
	"github.com/siloshim/siloshim/shim/host"
	"github.com/siloshim/siloshim/shim/spec"
)

// crash is one life of a container that its shim's death cuts short.
type crash struct {
	kernel  *jobtest.Kernel
	shim    *mortal
	service *shim.Service
	dir     string // the bundle
	seen    func() // gives up the handle of whoever looks on
}

// newCrash makes a shim that dies at a call. With a spectator somebody else has the container's job open, so that the
// kernel does not end it with the shim.
func newCrash(t *testing.T, at int, before, spectator bool) *crash {
	t.Helper()
	k := jobtest.New()
	k.Program("workload.exe", workload)
	c := &crash{kernel: k, shim: newMortal(k, at, before), dir: bundle(t, nil, "sleep"), seen: func() {}}
	c.service = shim.NewService(shim.Config{
		Namespace: "ns", Host: host.Host{Kernel: c.shim}, Emit: func(any) {}, Shutdown: func() {},
		Machine: spec.Host{Lookup: func(path string) bool { return path == program }},
	})
	if spectator {
		c.shim.onJob = func(name string) {
			h, err := k.OpenJob(name, jobobject.AccessQuery)
			if err != nil {
				t.Error(err)
				return
			}
			c.seen = func() { _ = k.CloseHandle(h) } // counted below
		}
	}
	return c
}

// live takes a container from Create to Delete, or as far as the shim gets: nobody hears from a dead one.
func (c *crash) live(t *testing.T) error {
	s, ctx := c.service, t.Context()
	exec := &anypb.Any{Value: marshal(t, process("sleep"))}
	for _, step := range []func() error{
		func() error { _, err := s.Create(ctx, &api.CreateTaskRequest{ID: "c", Bundle: c.dir}); return err },
		func() error { _, err := s.Start(ctx, &api.StartRequest{ID: "c"}); return err },
		func() error { _, err := s.Stats(ctx, &api.StatsRequest{ID: "c"}); return err },
		func() error {
			_, err := s.Exec(ctx, &api.ExecProcessRequest{ID: "c", ExecID: "e", Spec: exec})
			return err
		},
		func() error { _, err := s.Start(ctx, &api.StartRequest{ID: "c", ExecID: "e"}); return err },
		func() error { _, err := s.Pause(ctx, &api.PauseRequest{ID: "c"}); return err },
		func() error { _, err := s.Resume(ctx, &api.ResumeRequest{ID: "c"}); return err },
		func() error { _, err := s.Kill(ctx, &api.KillRequest{ID: "c", ExecID: "e", Signal: 9}); return err },
		func() error { _, err := s.Wait(ctx, &api.WaitRequest{ID: "c", ExecID: "e"}); return err },
		func() error { _, err := s.Delete(ctx, &api.DeleteRequest{ID: "c", ExecID: "e"}); return err },
		func() error {
			_, err := s.Exec(ctx, &api.ExecProcessRequest{ID: "c", ExecID: "f", Spec: exec})
			return err
		},
		func() error { _, err := s.Start(ctx, &api.StartRequest{ID: "c", ExecID: "f"}); return err },
		func() error { _, err := s.Kill(ctx, &api.KillRequest{ID: "c", Signal: 9}); return err },
		func() error { _, err := s.Wait(ctx, &api.WaitRequest{ID: "c"}); return err },
		func() error { _, err := s.Delete(ctx, &api.DeleteRequest{ID: "c"}); return err },
	} {
		err := step()
		if c.shim.died() != "" {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cleanUp does what the verb delete does, twice, and tells what is left.
func (c *crash) cleanUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3500*time.Millisecond) // what the verb has, by the bubble's clock
	defer cancel()
	after := host.Host{Kernel: c.kernel}
	for range 2 {
		if err := after.Cleanup(ctx, "ns", "c", c.dir); err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
	}
	c.kernel.Wait() // every program has ended
	c.seen()
	if _, err := c.kernel.OpenJob(host.JobName("ns", "c"), jobobject.AccessQuery); !errors.Is(err, jobobject.ErrNotExist) {
		return fmt.Errorf("the job is left: %v", err)
	}
	if n := c.kernel.OpenHandles(); n != 0 {
		return fmt.Errorf("%d handles are left", n)
	}
	return nil
}

// bury ends what a dead process does not have any more: goroutines, which here are those of the test.
func (c *crash) bury(ctx context.Context) {
	time.Sleep(time.Hour)                                     // the bubble's clock: whatever is bounded is over
	_, _ = c.service.Delete(ctx, &api.DeleteRequest{ID: "c"}) // all that it asks of the kernel fails
}

// point has one shim die, which is nowhere for 0, and checks that the clean-up leaves nothing. It returns the call in which the shim died, and the number of calls that it made. The clock is the
// bubble's: what a dead shim waits for costs no time.
func point(t *testing.T, at int, before, spectator bool) (died string, calls int) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrash(t, at, before, spectator)
		err := c.live(t)
		if err == nil {
			err = c.cleanUp(t.Context())
		}
		c.bury(t.Context())
		died, calls = c.shim.died(), c.shim.made()
		if err != nil {
			t.Errorf("call %d (%s), before it %v, spectator %v: %v", at, died, before, spectator, err)
		}
	})
	return died, calls
}

// quiet keeps the log to itself: much goes wrong on purpose.
func quiet(t *testing.T) {
	t.Helper()
	level := log.GetLevel()
	if err := log.SetLevel("fatal"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.SetLevel(level.String()) }) // it was one
}

// TestCrashMatrix lets the shim die before and after each of its calls that change something, while somebody else has
// the container's job open and while nobody has. Whenever that is, the clean-up leaves nothing.
func TestCrashMatrix(t *testing.T) {
	quiet(t)
	points := map[string]int{}
	total := 0
	for _, spectator := range []bool{false, true} {
		_, calls := point(t, 0, false, spectator)
		for at := 1; at <= calls; at++ {
			for _, before := range []bool{true, false} {
				if died, _ := point(t, at, before, spectator); died != "" {
					points[died]++
					total++
				}
			}
		}
	}
	t.Logf("%d points: %v", total, points)
	for _, call := range []string{"CreateJob", "SetLimits", "CreatePort", "CreateProcess", "WatchExit", "Freeze", "TerminateProcess", "TerminateJob", "CloseHandle"} {
		if points[call] < 4 {
			t.Errorf("%d points at %s, want all four", points[call], call)
		}
	}
}
