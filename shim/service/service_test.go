package service_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/sim"
)

// world is a shim on a simulated kernel.
type world struct{ *sim.World }

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{sim.NewWorld(t)}
}

func TestService_TaskLifecycle_StatesAndEvents(t *testing.T) {
	w := newWorld(t)
	before := w.Kernel.OpenHandles()
	w.MustCreate(t, "c", "sleep")
	init := w.MustStart(t, "c", "")
	w.MustExec(t, "c", "e", "exit", "7")
	w.MustStart(t, "c", "e")
	if code := w.MustWait(t, "c", "e"); code != 7 {
		t.Errorf("the exec ended with %d, want 7", code)
	}
	if code := w.MustDelete(t, "c", "e"); code != 7 {
		t.Errorf("its delete says %d, want 7", code)
	}
	if s, err := w.State(t.Context(), &api.StateRequest{ID: "c"}); err != nil || s.Status != types.Status_RUNNING || s.Pid != init {
		t.Errorf("state %v, %v; want RUNNING with pid %d", s, err, init)
	}
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	if code := w.MustWait(t, "c", ""); code != 137 {
		t.Errorf("init ended with %d, want 137", code)
	}
	w.MustDelete(t, "c", "")
	want := []string{"create c", "start c", "exec-added e", "exec-started e", "exit e", "delete c e", "exit c", "delete c "}
	if diff := cmp.Diff(want, w.Events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if left := w.Kernel.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
}

func TestPids_BeforeAndAfterStart_NeverEmpty(t *testing.T) {
	w := newWorld(t)
	w.MustCreate(t, "c", "sleep")
	r, err := w.Pids(t.Context(), &api.PidsRequest{ID: "c"})
	if err != nil || len(r.Processes) != 1 {
		t.Errorf("before the start: %v, %v; want the shim's own", r, err)
	}
	init := w.MustStart(t, "c", "")
	r, err = w.Pids(t.Context(), &api.PidsRequest{ID: "c"})
	if err != nil || len(r.Processes) != 1 || r.Processes[0].Pid != init {
		t.Errorf("after the start: %v, %v; want %d", r, err, init)
	}
}

func TestStats_EachState_Succeeds(t *testing.T) {
	w := newWorld(t)
	ask := func(state string) {
		t.Helper()
		r, err := w.Stats(t.Context(), &api.StatsRequest{ID: "c"})
		if err != nil || r.Stats.GetTypeUrl() != "containerd.runhcs.stats.v1.Statistics" {
			t.Errorf("%s: %v, %v", state, r, err)
		}
	}
	w.MustCreate(t, "c", "exit", "0")
	ask("created")
	w.MustStart(t, "c", "")
	ask("running or stopped")
	w.MustWait(t, "c", "")
	ask("stopped")
	w.MustDelete(t, "c", "")
	if _, err := w.Stats(t.Context(), &api.StatsRequest{ID: "c"}); !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		t.Errorf("deleted: %v, want not found", err)
	}
}

func TestCreate_InvalidRequest_NothingLeft(t *testing.T) {
	w := newWorld(t)
	before := w.Kernel.OpenHandles()
	ctx := t.Context()
	good := sim.Bundle(t, nil, "sleep")
	create := func(id, dir string, options *anypb.Any) error {
		_, err := w.Create(ctx, &api.CreateTaskRequest{ID: id, Bundle: dir, Options: options})
		return err
	}
	changed := func(change func(*specs.Spec)) string { return sim.Bundle(t, change, "sleep") }
	for name, c := range map[string]struct {
		err   error
		class error
		words string
	}{
		"id with path characters": {create(`a\b`, good, nil), errdefs.ErrInvalidArgument, "id"},
		"no bundle":               {create("c", t.TempDir(), nil), errdefs.ErrInvalidArgument, "config.json"},
		"unknown options":         {create("c", good, &anypb.Any{TypeUrl: "example.Options", Value: []byte{1}}), errdefs.ErrInvalidArgument, "example.Options"},
		"no args":                 {create("c", changed(func(s *specs.Spec) { s.Process.Args = nil }), nil), errdefs.ErrInvalidArgument, "process.args"},
		"no program":              {create("c", changed(func(s *specs.Spec) { s.Process.Args[0] = `C:\none.bat` }), nil), errdefs.ErrInvalidArgument, "process.args"},
		"NUL in the environment":  {create("c", changed(func(s *specs.Spec) { s.Process.Env = []string{"A=b\x00c"} }), nil), errdefs.ErrInvalidArgument, "process.env"},
		"virtual machine":         {create("c", changed(func(s *specs.Spec) { s.Windows.HyperV = &specs.WindowsHyperV{} }), nil), errdefs.ErrNotImplemented, "hyperv"},
	} {
		if err := errgrpc.ToNative(c.err); !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %v that names %q", name, err, c.class, c.words)
		}
	}
	if left := w.Kernel.OpenHandles(); left != before || len(w.Events()) > 0 {
		t.Errorf("%d handles are open, %d were before; events %v", left, before, w.Events())
	}
	w.MustCreate(t, "c", "sleep")
	if err := errgrpc.ToNative(create("c", good, nil)); !errdefs.IsAlreadyExists(err) {
		t.Errorf("duplicate id: %v, want already exists", err)
	}
}

func TestService_WrongState_FailedPrecondition(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.MustCreate(t, "c", "sleep")
	exec := func(id string) error {
		_, err := w.Exec(ctx, &api.ExecProcessRequest{ID: "c", ExecID: id, Spec: &anypb.Any{Value: sim.JSON(t, sim.Process("exit", "0"))}})
		return errgrpc.ToNative(err)
	}
	if err := exec("e"); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("exec before the start: %v, want a failed precondition", err)
	}
	w.MustStart(t, "c", "")
	if _, err := w.Start(ctx, &api.StartRequest{ID: "c"}); !errdefs.IsFailedPrecondition(errgrpc.ToNative(err)) {
		t.Errorf("second start: %v, want a failed precondition", err)
	}
	if _, err := w.Delete(ctx, &api.DeleteRequest{ID: "c"}); !errdefs.IsFailedPrecondition(errgrpc.ToNative(err)) {
		t.Errorf("delete while it runs: %v, want a failed precondition", err)
	}
	if _, err := w.Kill(ctx, &api.KillRequest{ID: "c", ExecID: "e", All: true, Signal: 9}); !errdefs.IsFailedPrecondition(errgrpc.ToNative(err)) {
		t.Errorf("kill of all in one exec: %v, want a failed precondition", err)
	}
	if err := exec("c"); !errdefs.IsAlreadyExists(err) {
		t.Errorf("exec with the task's id: %v, want already exists", err)
	}
	if _, err := w.ResizePty(ctx, &api.ResizePtyRequest{ID: "c", Width: 80, Height: 25}); !errdefs.IsFailedPrecondition(errgrpc.ToNative(err)) {
		t.Errorf("resize without a terminal: %v, want a failed precondition", err)
	}
}

// TestKill_InitOfATree_EndsTheTree: the descendants of init have ended before its exit.
func TestKill_InitOfATree_EndsTheTree(t *testing.T) {
	w := newWorld(t)
	l, stdin := sim.Listen(t) // a tree lives until its stdin ends
	defer l.Close()
	go hold(t.Context(), l)
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: sim.Bundle(t, nil, "tree", "2"), Stdin: stdin}); err != nil {
		t.Fatal(err)
	}
	w.MustStart(t, "c", "")
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "c", "")
	w.MustDelete(t, "c", "")
	w.Kernel.Wait() // for ever, if a process still runs
}

// hold accepts a client and keeps it until ctx is done.
func hold(ctx context.Context, l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	<-ctx.Done()
	_ = conn.Close() // nothing was sent
}

func TestShutdown_WithATask_EndsAfterTheLast(t *testing.T) {
	w := newWorld(t)
	w.MustCreate(t, "c", "sleep")
	if _, err := w.Shutdown(t.Context(), &api.ShutdownRequest{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.State(t.Context(), &api.StateRequest{ID: "c"}); err != nil {
		t.Fatalf("a shim with a task has ended: %v", err)
	}
	w.MustDelete(t, "c", "")
	if _, err := w.Shutdown(t.Context(), &api.ShutdownRequest{ID: "c"}); err != nil {
		t.Error(err)
	}
	_ = w.Client.Close()   // as containerd does; the shim waits for that
	w.Served <- <-w.Served // once for this test, once for its end
}
