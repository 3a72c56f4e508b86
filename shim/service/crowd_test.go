package service_test

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
)

// TestCrowd: clients ask for whatever comes to their minds, all at once, until init is killed. Each answer is a success
// or one of the refusals that the table of states has, what is announced is in an order that can have happened, and in
// the end nothing is left.
func TestCrowd(t *testing.T) {
	w := newWorld(t)
	before := w.kernel.OpenHandles()
	w.create(t, "c", "sleep")
	w.start(t, "c", "")
	const clients, requests = 6, 60
	var crowd sync.WaitGroup
	for client := range clients {
		rng := rand.New(rand.NewPCG(uint64(client), 5))
		crowd.Go(func() {
			for i := range requests {
				exec := fmt.Sprintf("e%d-%d", client, i)
				what, err := w.whim(t, rng.IntN(7), exec)
				if err := errgrpc.ToNative(err); err != nil && !errors.Is(err, errdefs.ErrFailedPrecondition) && !errors.Is(err, errdefs.ErrNotFound) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
	crowd.Wait()
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 9}); err != nil {
		t.Error(err)
	}
	w.wait(t, "c", "")
	w.remove(t, "c", "")
	w.kernel.Wait()
	if left := w.kernel.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
	plausible(t, w.told())
}

// whim asks for one thing.
func (w *world) whim(t *testing.T, which int, exec string) (what string, err error) {
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
		_, err = w.Update(ctx, &api.UpdateTaskRequest{ID: "c", Resources: &anypb.Any{TypeUrl: resourcesURL, Value: marshal(t, r)}})
		return "update", err
	case 5:
		_, err = w.Pids(ctx, &api.PidsRequest{ID: "c"})
		return "pids", err
	}
	_, err = w.Exec(ctx, &api.ExecProcessRequest{ID: "c", ExecID: exec, Spec: &anypb.Any{Value: marshal(t, process("sleep"))}})
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

// plausible checks the order of what was announced: paused and resumed in turn, and an
// exec's four in a row.
func plausible(t *testing.T, told []string) {
	t.Helper()
	paused := false
	stage := map[string]string{}
	follows := map[string]string{"exec-added": "", "exec-started": "exec-added", "exit": "exec-started", "delete": "exit"}
	for i, line := range told {
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
	if n := len(told); n < 4 || told[0] != "create c" || told[1] != "start c" || told[n-2] != "exit c" || told[n-1] != "delete c " {
		t.Errorf("%d events, want init's around all others", n)
	}
}
