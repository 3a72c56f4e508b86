package service_test

import (
	"fmt"
	"sync"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	taskapi "github.com/containerd/containerd/api/types/task"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/sim"
)

// TestPod_WCOWInOneNamespace_EndOfOneLeavesTheOther: the namespace of a pod is not deleted with a container.
func TestPod_WCOWInOneNamespace_EndOfOneLeavesTheOther(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	const ns = "c1d3b7e0-0f2f-4ac2-8d2c-0f6fd4b1a001"
	for _, id := range []string{"c", "web"} {
		dir := sim.WCOWBundle(t, func(s *specs.Spec) {
			s.Windows.LayerFolders[2] += id
			s.Windows.Network = &specs.WindowsNetwork{NetworkNamespace: ns}
		}, "sleep")
		if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: id, Bundle: dir}); err != nil {
			t.Fatal(err)
		}
		w.MustStart(t, id, "")
		if d, _ := w.Service.Document(id); d.Container.Networking.Namespace != ns {
			t.Errorf("%s is in network namespace %q", id, d.Container.Networking.Namespace)
		}
	}
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "web", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "web", "")
	w.MustDelete(t, "web", "")
	if s, err := w.State(t.Context(), &api.StateRequest{ID: "c"}); err != nil || s.Status != taskapi.Status_RUNNING {
		t.Errorf("the other is %v, %v; want RUNNING", s, err)
	}
	if held := w.Machine.Held(); len(held) != 2 {
		t.Errorf("the machine holds %v, want one layer, active and prepared", held)
	}
}

// TestService_WCOWConcurrentRequests_Succeed: requests of all kinds at once, and then the end among them.
func TestService_WCOWConcurrentRequests_Succeed(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	w.MustCreateC(t, "sleep")
	w.MustStart(t, "c", "")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			id := fmt.Sprint("e", i)
			spec := &anypb.Any{Value: sim.JSON(t, sim.Process("exit", fmt.Sprint(i)))}
			if _, err := w.Exec(t.Context(), &api.ExecProcessRequest{ID: "c", ExecID: id, Spec: spec}); err != nil {
				t.Error(err)
				return
			}
			if _, err := w.Start(t.Context(), &api.StartRequest{ID: "c", ExecID: id}); err != nil {
				t.Error(err)
				return
			}
			if r, err := w.Wait(t.Context(), &api.WaitRequest{ID: "c", ExecID: id}); err != nil || r.ExitStatus != uint32(i) {
				t.Errorf("exec %d ended with %v, %v", i, r, err)
			}
			if _, err := w.Delete(t.Context(), &api.DeleteRequest{ID: "c", ExecID: id}); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, err := w.Stats(t.Context(), &api.StatsRequest{ID: "c"}); err != nil {
				t.Error(err)
			}
			if _, err := w.Pids(t.Context(), &api.PidsRequest{ID: "c"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for range 4 { // some are too late
		all.Go(func() { _, _ = w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 9}) })
		all.Go(func() { _, _ = w.Stats(t.Context(), &api.StatsRequest{ID: "c"}) })
	}
	all.Wait()
	if code := w.MustWait(t, "c", ""); code != 137 {
		t.Errorf("init ended with %d, want 137", code)
	}
	w.MustDelete(t, "c", "")
}
