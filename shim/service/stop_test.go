package service_test

import (
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// TestKill_InitLeavesAChild_ChildGetsTheEvent: init ends for the event that it is asked to end with; its child gets that
// event as well and ends in order before the exit is told.
func TestKill_InitLeavesAChild_ChildGetsTheEvent(t *testing.T) {
	w := newWorld(t)
	ready, got := make(chan struct{}), make(chan uint32, 1)
	w.Kernel.Program("child.exe", func(p *jobtest.Proc) uint32 {
		events := p.Events()
		close(ready)
		select {
		case e := <-events:
			got <- uint32(e)
		case <-p.Done():
		}
		return 0
	})
	w.Kernel.Program("workload.exe", func(p *jobtest.Proc) uint32 {
		if _, err := p.Spawn("child.exe"); err != nil {
			t.Error(err)
		}
		<-p.Done()
		return 0
	})
	w.MustCreate(t, "c", "sleep")
	w.MustStart(t, "c", "")
	<-ready
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 15}); err != nil {
		t.Fatal(err)
	}
	if status := w.MustWait(t, "c", ""); status != jobtest.StatusControlCExit {
		t.Errorf("init ended with %#x, want %#x", status, jobtest.StatusControlCExit)
	}
	select {
	case e := <-got:
		if e != 6 {
			t.Errorf("the child got event %d, want 6", e)
		}
	default:
		t.Error("init's exit was told and the child has not got the event")
	}
	w.MustDelete(t, "c", "")
	if diff := cmp.Diff([]string{"create c", "start c", "exit c", "delete c "}, w.Events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
