package service_test

import (
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/sim"
)

// TestExec_ProgramMissing_StartIsNotFound: as in runc's shim, Start fails and not Exec. A path that cannot be a program is
// refused by Exec.
func TestExec_ProgramMissing_StartIsNotFound(t *testing.T) {
	w := newWorld(t)
	w.MustCreate(t, "c", "sleep")
	w.MustStart(t, "c", "")
	absent, nameless := sim.Process(), sim.Process()
	absent.Args, nameless.Args = []string{`C:\bin\absent.exe`}, []string{`C:\bin\`}
	if _, err := w.Exec(t.Context(), &api.ExecProcessRequest{ID: "c", ExecID: "e", Spec: &anypb.Any{Value: sim.JSON(t, absent)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Start(t.Context(), &api.StartRequest{ID: "c", ExecID: "e"}); !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		t.Errorf("start of the exec: %v, want not found", err)
	}
	if _, err := w.Delete(t.Context(), &api.DeleteRequest{ID: "c", ExecID: "e"}); err != nil {
		t.Errorf("delete of the exec: %v", err)
	}
	_, err := w.Exec(t.Context(), &api.ExecProcessRequest{ID: "c", ExecID: "e", Spec: &anypb.Any{Value: sim.JSON(t, nameless)}})
	if !errdefs.IsInvalidArgument(errgrpc.ToNative(err)) {
		t.Errorf("exec of a directory: %v, want invalid argument", err)
	}
}

// TestCreate_ProgramMissing_StartIsNotFound: the same for init. The task can then be deleted.
func TestCreate_ProgramMissing_StartIsNotFound(t *testing.T) {
	w := newWorld(t)
	absent := sim.Bundle(t, func(s *specs.Spec) { s.Process.Args = []string{`C:\bin\absent.exe`} })
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: absent}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Start(t.Context(), &api.StartRequest{ID: "c"}); !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		t.Errorf("start: %v, want not found", err)
	}
	w.MustWait(t, "c", "")
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 9}); err != nil && !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		t.Errorf("kill: %v, want none or not found", err)
	}
	if _, err := w.Delete(t.Context(), &api.DeleteRequest{ID: "c"}); err != nil {
		t.Errorf("delete: %v", err)
	}
}
