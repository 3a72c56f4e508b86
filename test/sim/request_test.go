package sim_test

import (
	"context"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/sim"
)

// class is the model's name of an error.
func class(err error) string {
	switch err = errgrpc.ToNative(err); {
	case err == nil:
		return fine
	case errdefs.IsFailedPrecondition(err):
		return precondition
	case errdefs.IsNotFound(err):
		return notFound
	case errdefs.IsAlreadyExists(err):
		return exists
	case errdefs.IsNotImplemented(err):
		return unable
	}
	return err.Error()
}

// request makes the request of a step.
func (w *walker) request(t *testing.T, s step) error {
	request, known := map[string]func(context.Context) error{
		"create":     call(w.Create, &api.CreateTaskRequest{ID: s.task, Bundle: w.dir}),
		"start":      call(w.Start, &api.StartRequest{ID: s.task, ExecID: s.exec}),
		"kill":       call(w.Kill, &api.KillRequest{ID: s.task, ExecID: s.exec, Signal: 9}),
		"kill all":   call(w.Kill, &api.KillRequest{ID: s.task, Signal: 9, All: true}),
		"delete":     call(w.Delete, &api.DeleteRequest{ID: s.task, ExecID: s.exec}),
		"exec":       call(w.Exec, &api.ExecProcessRequest{ID: s.task, ExecID: s.exec, Spec: &anypb.Any{Value: sim.JSON(t, sim.Process("sleep"))}}),
		"pause":      call(w.Pause, &api.PauseRequest{ID: s.task}),
		"resume":     call(w.Resume, &api.ResumeRequest{ID: s.task}),
		"update":     call(w.Update, &api.UpdateTaskRequest{ID: s.task, Resources: &anypb.Any{TypeUrl: sim.ResourcesURL, Value: sim.JSON(t, &specs.WindowsResources{})}}),
		"state":      call(w.State, &api.StateRequest{ID: s.task, ExecID: s.exec}),
		"stats":      call(w.Stats, &api.StatsRequest{ID: s.task}),
		"pids":       call(w.Pids, &api.PidsRequest{ID: s.task}),
		"wait":       call(w.Wait, &api.WaitRequest{ID: s.task, ExecID: s.exec}),
		"connect":    call(w.Connect, &api.ConnectRequest{ID: s.task}),
		"close io":   call(w.CloseIO, &api.CloseIORequest{ID: s.task, ExecID: s.exec, Stdin: true}),
		"resize":     call(w.ResizePty, &api.ResizePtyRequest{ID: s.task, ExecID: s.exec, Width: 80, Height: 25}),
		"checkpoint": call(w.Checkpoint, &api.CheckpointTaskRequest{ID: s.task}),
		"shutdown":   call(w.Shutdown, &api.ShutdownRequest{ID: s.task}),
	}[s.op]
	if !known {
		t.Fatalf("there is no request %q", s.op)
	}
	return request(t.Context())
}

// call makes a request without its answer.
func call[Request, Response any](f func(context.Context, *Request) (*Response, error), r *Request) func(context.Context) error {
	return func(ctx context.Context) error { _, err := f(ctx, r); return err }
}
