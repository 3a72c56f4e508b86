package sim_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/sim"
)

// TestService_ConcurrentRandomRequests_EventsInAPossibleOrder: several clients make random requests at once until init is
// killed. Each succeeds or fails as the table of states has it, the events are in a possible order, and in the end nothing
// is left.
func TestService_ConcurrentRandomRequests_EventsInAPossibleOrder(t *testing.T) {
	w := sim.NewWorld(t)
	before := w.Kernel.OpenHandles()
	w.MustCreate(t, "c", "sleep")
	w.MustStart(t, "c", "")
	const clients, requests = 6, 60
	var all sync.WaitGroup
	for client := range clients {
		rng := rand.New(rand.NewPCG(uint64(client), 5))
		all.Go(func() {
			for i := range requests {
				exec := fmt.Sprintf("e%d-%d", client, i)
				what, err := randomRequest(t, w, rng.IntN(7), exec)
				if err := errgrpc.ToNative(err); err != nil && !errors.Is(err, errdefs.ErrFailedPrecondition) && !errors.Is(err, errdefs.ErrNotFound) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
	all.Wait()
	w.MustKill(t, "c", "")
	w.MustWait(t, "c", "")
	w.MustDelete(t, "c", "")
	w.Kernel.Wait()
	if left := w.Kernel.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
	checkOrder(t, w.Events())
}

// randomRequest makes one of seven requests; the last takes an exec from Exec to Delete.
func randomRequest(t *testing.T, w *sim.World, which int, exec string) (what string, err error) {
	ctx := t.Context()
	switch which {
	case 0:
		_, err = w.Pause(ctx, &api.PauseRequest{ID: "c"})
		return "pause", err
	case 1:
		_, err = w.Resume(ctx, &api.ResumeRequest{ID: "c"})
		return "resume", err
	case 2:
		_, err = w.State(ctx, &api.StateRequest{ID: "c"})
		return "state", err
	case 3:
		_, err = w.Stats(ctx, &api.StatsRequest{ID: "c"})
		return "stats", err
	case 4:
		r := &specs.WindowsResources{CPU: &specs.WindowsCPUResources{Shares: new(uint16(len(exec)))}}
		_, err = w.Update(ctx, &api.UpdateTaskRequest{ID: "c", Resources: &anypb.Any{TypeUrl: sim.ResourcesURL, Value: sim.JSON(t, r)}})
		return "update", err
	case 5:
		_, err = w.Pids(ctx, &api.PidsRequest{ID: "c"})
		return "pids", err
	}
	_, err = w.Exec(ctx, &api.ExecProcessRequest{ID: "c", ExecID: exec, Spec: &anypb.Any{Value: sim.JSON(t, sim.Process("sleep"))}})
	if err != nil {
		return "exec", err
	}
	if _, err = w.Start(ctx, &api.StartRequest{ID: "c", ExecID: exec}); err != nil {
		_, failed := w.Delete(ctx, &api.DeleteRequest{ID: "c", ExecID: exec})
		return "start or delete of an exec", errors.Join(failed, err)
	}
	if _, err = w.Kill(ctx, &api.KillRequest{ID: "c", ExecID: exec, Signal: 9}); err != nil {
		return "kill of an exec", err
	}
	if _, err = w.Wait(ctx, &api.WaitRequest{ID: "c", ExecID: exec}); err != nil {
		return "wait for an exec", err
	}
	_, err = w.Delete(ctx, &api.DeleteRequest{ID: "c", ExecID: exec})
	return "delete of an exec", err
}

// checkOrder fails unless the events are in a possible order: paused and resumed alternate, and those of an exec come in
// their only order.
func checkOrder(t *testing.T, events []string) {
	t.Helper()
	paused := false
	stage := map[string]string{}
	follows := map[string]string{"exec-added": "", "exec-started": "exec-added", "exit": "exec-started", "delete": "exit"}
	for i, line := range events {
		kind, id, _ := strings.Cut(line, " ")
		id = strings.TrimPrefix(id, "c ")
		switch {
		case kind == "paused" || kind == "resumed":
			if paused == (kind == "paused") {
				t.Errorf("%d: %s twice", i, kind)
			}
			paused = kind == "paused"
		case strings.HasPrefix(id, "e"):
			if never := kind == "delete" && stage[id] == "exec-added"; follows[kind] != stage[id] && !never {
				t.Errorf("%d: %s of %s after %q", i, kind, id, stage[id])
			}
			stage[id] = kind
		}
	}
	if n := len(events); n < 4 || events[0] != "create c" || events[1] != "start c" || events[n-2] != "exit c" || events[n-1] != "delete c " {
		t.Errorf("%d events, want those of init first and last", n)
	}
}
