package sim_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/test/sim"
)

// hungShim is a shim of which one call hangs, with a client.
type hungShim struct {
	*crashRun
	*sim.World
	failed string // the first request that has failed
}

func newHungShim(t *testing.T, l lifecycle, at point) *hungShim {
	f := newInjector(at)
	f.hangs = make(chan struct{})
	h := &hungShim{crashRun: newCrashRunWithoutShim(t, l, f), World: &sim.World{Served: make(chan error, 1)}}
	e := h.engineOf(&queryFaultyKernel{h.faultyKernel(t)}, &queryFaultyService{newFaultyService(h.service, f)}, faultyMachine{h.machine, f})
	h.ServeInMemory(h.config(e, h.publisher.Publish))
	return h
}

// deadlines are the longest times of the requests. Those that are not listed have 15 s.
var deadlines = map[string]time.Duration{
	"Create": 5 * time.Minute, "Start": 5 * time.Minute, "Delete": 24 * time.Minute, "Kill": 100 * time.Millisecond,
	"Wait": endBound, "": clientTimeout,
}

// endBound is the longest time from the end of a process to its exit while one call hangs: 30 s to terminate the remaining
// processes, 31 s to drain the output, and 30 s each to close the streams and the program.
const endBound = 121 * time.Second

// clientTimeout is how long the client waits for an end that may not come.
const clientTimeout = time.Hour

// run makes the requests of a container. Once a call hangs their answers are not checked, but their times are.
func (h *hungShim) run(t *testing.T) error {
	for _, r := range h.requests(t, h.TTRPCTaskService) {
		bound, listed := deadlines[r.name]
		if !listed {
			bound = 15 * time.Second
		}
		ctx, cancel := context.WithTimeout(t.Context(), bound+time.Second)
		began := time.Now()
		err := r.make(ctx)
		cancel()
		if took := time.Since(began); took > bound && (r.name != "Wait" || !h.starts(t.Context())) {
			return fmt.Errorf("%s took %v, want %v at most: %w", r.name, took, bound, err)
		}
		if err != nil && !h.injector.wasReached() {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if err != nil && h.failed == "" {
			h.failed = r.name
		}
	}
	return nil
}

// starts reports whether init is being started: a process whose start hangs has no end.
func (h *hungShim) starts(ctx context.Context) bool {
	s, err := h.State(ctx, &api.StateRequest{ID: "c"})
	return err == nil && s.Status == types.Status_CREATED
}

// probe makes the requests that must return while a call hangs. They may fail. A Stats whose own call hangs waits for it
// in the first probe.
func (h *hungShim) probe(ctx context.Context, statsBound time.Duration) error {
	for name, request := range map[string]func(context.Context) error{
		"State": call(h.State, &api.StateRequest{ID: "c"}), "Connect": call(h.Connect, &api.ConnectRequest{ID: "c"}),
		"Stats": call(h.Stats, &api.StatsRequest{ID: "c"}), "Kill": call(h.Kill, &api.KillRequest{ID: "c", Signal: 9}),
	} {
		bound := 100 * time.Millisecond
		if name == "Stats" {
			bound = statsBound
		}
		began := time.Now()
		err := request(ctx)
		if took := time.Since(began); took > bound {
			return fmt.Errorf("%s took %v, want %v at most: %w", name, took, bound, err)
		}
	}
	return nil
}

// end lets the call return and deletes the container, as its client would.
func (h *hungShim) end(t *testing.T) error {
	close(h.injector.hangs)
	time.Sleep(clientTimeout) // for the late calls
	ctx, cancel := context.WithTimeout(t.Context(), clientTimeout)
	defer cancel()
	if s, err := h.State(ctx, &api.StateRequest{ID: "c"}); h.failed == "Create" && class(err) != notFound {
		return fmt.Errorf("Create has failed, and there is a task: %v, %w", s, err)
	}
	_, _ = h.Kill(ctx, &api.KillRequest{ID: "c", Signal: 9}) // it may be gone, as in the next two
	_, _ = h.Wait(ctx, &api.WaitRequest{ID: "c"})
	_, err := h.Delete(ctx, &api.DeleteRequest{ID: "c"})
	if class(err) == notFound {
		err = nil
	}
	err = errors.Join(err, h.checkNothingLeft(ctx))
	_, _ = h.Shutdown(ctx, &api.ShutdownRequest{Now: true}) // the answer may be lost
	return errors.Join(err, h.Client.Close(), <-h.Served, h.publisher.Close(ctx))
}

// hangAt lets one call hang and checks the times of the answers. It returns the points of the run.
func hangAt(t *testing.T, l lifecycle, at point) (points []point) {
	synctest.Test(t, func(t *testing.T) {
		h := newHungShim(t, l, at)
		restore := h.injector.files()
		done := make(chan error, 1)
		go func() { done <- h.run(t) }()
		var err error
		select {
		case <-h.injector.reached:
			err = h.probe(t.Context(), container.BusyAfter)
			time.Sleep(time.Second) // of the bubble's clock: the request of the call has not timed out
			err = errors.Join(err, h.probe(t.Context(), 100*time.Millisecond), <-done)
		case err = <-done:
		}
		synctest.Wait() // for calls that belong to no request
		points = h.injector.points()
		err = errors.Join(err, h.end(t))
		restore()
		if err = errors.Join(err, h.finish(t)); err != nil {
			t.Errorf("%s, hanging %s: %v", l, at, err)
		}
	})
	return points
}

// TestHang_EachCallHangs_RequestsAnswerInTime lets the first call of each kind hang. State, Stats, Connect and Kill return
// promptly, each request by its deadline, and what the late call brings about is undone or can be deleted.
func TestHang_EachCallHangs_RequestsAnswerInTime(t *testing.T) {
	silenceLog(t)
	total := 0
	var list strings.Builder
	for _, l := range []lifecycle{{kind: "job"}, {kind: "console"}, {kind: "root"}, {kind: "server"}, {kind: "image"}} {
		var points []point
		for _, at := range hangAt(t, l, point{}) {
			if at.nth == 1 && !at.after {
				points = append(points, at)
				hangAt(t, l, at)
			}
		}
		total += len(points)
		list.WriteString(calls(l, points))
	}
	t.Logf("%d points", total)
	golden(t, filepath.Join("testdata", "hang.golden"), list.String())
}
