package service_test

import (
	"sync/atomic"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// beats makes the program count while it may run. step gets a value after a count, if it is read.
func (w *world) beats() (count *atomic.Int64, step <-chan struct{}) {
	count, steps := new(atomic.Int64), make(chan struct{}, 1)
	w.Kernel.Program("workload.exe", func(p *jobtest.Proc) uint32 {
		for p.Yield() {
			count.Add(1)
			select {
			case steps <- struct{}{}:
			default:
			}
		}
		return 0
	})
	return count, steps
}

func TestPause_RunningTask_SuspendedUntilResume(t *testing.T) {
	w := newWorld(t)
	count, step := w.beats()
	ctx := t.Context()
	w.MustCreate(t, "c", "beat")
	if _, err := w.Pause(ctx, &api.PauseRequest{ID: "c"}); !errdefs.IsFailedPrecondition(errgrpc.ToNative(err)) {
		t.Errorf("pause before the start: %v, want failed precondition", err)
	}
	w.MustStart(t, "c", "")
	<-step
	if _, err := w.Pause(ctx, &api.PauseRequest{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	before := count.Load()
	if s, err := w.State(ctx, &api.StateRequest{ID: "c"}); err != nil || s.Status != types.Status_PAUSED {
		t.Errorf("state %v, %v; want PAUSED", s, err)
	}
	if r, err := w.Pids(ctx, &api.PidsRequest{ID: "c"}); err != nil || len(r.Processes) != 1 {
		t.Errorf("pids while paused: %v, %v; want one", r, err)
	}
	if _, err := w.Stats(ctx, &api.StatsRequest{ID: "c"}); err != nil {
		t.Errorf("stats while paused: %v", err)
	}
	if now := count.Load(); now > before+1 { // one step may have begun
		t.Errorf("the program went on for %d steps", now-before)
	}
	if _, err := w.Resume(ctx, &api.ResumeRequest{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	for count.Load() <= before+2 {
		<-step
	}
	if _, err := w.Kill(ctx, &api.KillRequest{ID: "c", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "c", "")
	w.MustDelete(t, "c", "")
	if diff := cmp.Diff([]string{"create c", "start c", "paused c", "resumed c", "exit c", "delete c "}, w.Events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestKill_PausedTask_Ends(t *testing.T) {
	w := newWorld(t)
	before := w.Kernel.OpenHandles()
	w.MustCreate(t, "c", "sleep")
	w.MustStart(t, "c", "")
	if _, err := w.Pause(t.Context(), &api.PauseRequest{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	if code := w.MustWait(t, "c", ""); code != 137 {
		t.Errorf("init ended with %d, want 137", code)
	}
	w.MustDelete(t, "c", "")
	if left := w.Kernel.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
}
