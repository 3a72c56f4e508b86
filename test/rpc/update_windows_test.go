package rpc

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/test/workload"
)

// keeps reports whether this kernel keeps the limits of a job, so that they can be read back.
func keeps(t *testing.T, l jobobject.Limits) bool {
	t.Helper()
	job, err := jobobject.Create(jobobject.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	if err := job.SetLimits(t.Context(), l); err != nil {
		if !errors.Is(err, jobobject.ErrNotSupported) {
			t.Fatal(err)
		}
		return false
	}
	got, err := job.QueryLimits(t.Context())
	return err == nil && got.JobMemory == l.JobMemory && got.CPURate == l.CPURate
}

// The limits of a running container change. A limit that this kernel does not keep is an error that names it.
func TestUpdate_Limits_AppliedOrErrorNamesField(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"))
	s.create(t, "")
	if _, err := s.Start(t.Context(), &api.StartRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kept bool
		r    specs.WindowsResources
		name string // of the field, in the error of a kernel that does not keep it
	}{
		{
			keeps(t, jobobject.Limits{JobMemory: 256 << 20}),
			specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: new(uint64(256 << 20))}}, "memory",
		},
		{
			keeps(t, jobobject.Limits{CPURate: 5000}),
			specs.WindowsResources{CPU: &specs.WindowsCPUResources{Maximum: new(uint16(5000))}}, "processor rate",
		},
	} {
		value, err := json.Marshal(c.r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Update(t.Context(), &api.UpdateTaskRequest{ID: s.id, Resources: &anypb.Any{
			TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/WindowsResources", Value: value,
		}})
		err = errgrpc.ToNative(err)
		t.Logf("%s: kept by this kernel %v, answer %v", c.name, c.kept, err)
		if c.kept && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !c.kept && (!errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), c.name)) {
			t.Errorf("%s: %v, want not implemented that names it", c.name, err)
		}
	}
	if _, err := s.Kill(t.Context(), &api.KillRequest{ID: s.id, Signal: 9}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(t.Context(), &api.WaitRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
}
