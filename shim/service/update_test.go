package service_test

import (
	"errors"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/test/sim"
)

func (w *world) update(t *testing.T, url string, r any, annotations map[string]string) error {
	t.Helper()
	_, err := w.Update(t.Context(), &api.UpdateTaskRequest{
		ID: "c", Resources: &anypb.Any{TypeUrl: url, Value: sim.JSON(t, r)}, Annotations: annotations,
	})
	return errgrpc.ToNative(err)
}

// memory returns the limit of the container's job in the kernel.
func (w *world) memory(t *testing.T) uint64 {
	t.Helper()
	job, err := jobobject.Open(hostprocess.JobName("ns", "c"), jobobject.OpenOptions{Kernel: w.Kernel})
	if err != nil {
		t.Fatal(err)
	}
	l, err := job.QueryLimits(t.Context())
	if err = errors.Join(err, job.Close()); err != nil {
		t.Fatal(err)
	}
	return l.JobMemory
}

func TestUpdate_EachState_LimitInForce(t *testing.T) {
	w := newWorld(t)
	w.MustCreate(t, "c", "sleep")
	limit := func(n uint64) *specs.WindowsResources {
		return &specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: &n}}
	}
	if err := w.update(t, sim.ResourcesURL, limit(16<<20), nil); err != nil || w.memory(t) != 16<<20 {
		t.Errorf("created: %v, %d bytes in force", err, w.memory(t))
	}
	w.MustStart(t, "c", "")
	if err := w.update(t, sim.ResourcesURL, limit(32<<20), nil); err != nil || w.memory(t) != 32<<20 {
		t.Errorf("running: %v, %d bytes in force", err, w.memory(t))
	}
	if _, err := w.Pause(t.Context(), &api.PauseRequest{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	if err := w.update(t, sim.ResourcesURL, limit(64<<20), nil); err != nil || w.memory(t) != 64<<20 {
		t.Errorf("paused: %v, %d bytes in force", err, w.memory(t))
	}
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "c", "")
	if err := w.update(t, sim.ResourcesURL, limit(16<<20), nil); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("stopped: %v, want failed precondition", err)
	}
	w.MustDelete(t, "c", "")
	if err := w.update(t, sim.ResourcesURL, limit(16<<20), nil); !errdefs.IsNotFound(err) {
		t.Errorf("deleted: %v, want not found", err)
	}
}

func TestUpdate_InvalidResources_InvalidArgument(t *testing.T) {
	w := newWorld(t)
	w.MustCreate(t, "c", "sleep")
	count := specs.WindowsResources{CPU: &specs.WindowsCPUResources{Count: new(uint64(1)), Shares: new(uint16(1))}}
	for name, c := range map[string]struct {
		err   error
		class error
		words string
	}{
		"other resources": {w.update(t, "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources", struct{}{}, nil), errdefs.ErrInvalidArgument, "LinuxResources"},
		"no JSON of them": {w.update(t, sim.ResourcesURL, []int{1}, nil), errdefs.ErrInvalidArgument, "windows.resources"},
		"contradiction":   {w.update(t, sim.ResourcesURL, count, nil), errdefs.ErrInvalidArgument, "windows.resources.cpu.shares"},
		"annotation": {
			w.update(t, sim.ResourcesURL, struct{}{}, map[string]string{"io.microsoft.container.memory.sizeinmb": "much"}),
			errdefs.ErrInvalidArgument, "io.microsoft.container.memory.sizeinmb",
		},
	} {
		if !errors.Is(c.err, c.class) || !strings.Contains(c.err.Error(), c.words) {
			t.Errorf("%s: %v, want %v that names %q", name, c.err, c.class, c.words)
		}
	}
}
