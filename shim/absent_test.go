package shim_test

import (
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/protobuf/types/known/anypb"
)

// TestExecOfAnAbsentProgram: Exec only says what is wanted, as in runc's shim; that there is no such program is Start's to
// tell. What is not even a program is refused at once.
func TestExecOfAnAbsentProgram(t *testing.T) {
	w := newWorld(t)
	w.create(t, "c", "sleep")
	w.start(t, "c", "")
	absent, nameless := process(), process()
	absent.Args, nameless.Args = []string{`C:\bin\absent.exe`}, []string{`C:\bin\`}
	if _, err := w.Exec(t.Context(), &api.ExecProcessRequest{ID: "c", ExecID: "e", Spec: &anypb.Any{Value: marshal(t, absent)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Start(t.Context(), &api.StartRequest{ID: "c", ExecID: "e"}); !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		t.Errorf("start of the exec: %v, want not found", err)
	}
	if _, err := w.Delete(t.Context(), &api.DeleteRequest{ID: "c", ExecID: "e"}); err != nil {
		t.Errorf("delete of the exec: %v", err)
	}
	_, err := w.Exec(t.Context(), &api.ExecProcessRequest{ID: "c", ExecID: "e", Spec: &anypb.Any{Value: marshal(t, nameless)}})
	if !errdefs.IsInvalidArgument(errgrpc.ToNative(err)) {
		t.Errorf("exec of a directory: %v, want invalid argument", err)
	}
}
