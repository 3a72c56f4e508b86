package spec

import (
	"errors"
	"strings"
	"testing"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestUpdate(t *testing.T) {
	now := Limits{CPURate: 5000, MemoryBytes: 1 << 30, Affinity: []Affinity{{Mask: 1}}}
	j := Job{host: Host{Processors: 4}}
	for _, c := range []struct {
		name        string
		r           *specs.WindowsResources
		annotations map[string]string
		want        Limits
	}{
		{name: "nothing", want: now},
		{
			name: "memory",
			r:    &specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: new(uint64(2 << 30))}},
			want: Limits{CPURate: 5000, MemoryBytes: 2 << 30, Affinity: []Affinity{{Mask: 1}}},
		},
		{
			name: "shares in the place of a rate",
			r:    &specs.WindowsResources{CPU: &specs.WindowsCPUResources{Shares: new(uint16(10000))}},
			want: Limits{CPUWeight: 9, MemoryBytes: 1 << 30, Affinity: []Affinity{{Mask: 1}}},
		},
		{
			name: "count and processors",
			r:    &specs.WindowsResources{CPU: &specs.WindowsCPUResources{Count: new(uint64(1)), Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 6}}}},
			want: Limits{CPURate: 2500, MemoryBytes: 1 << 30, Affinity: []Affinity{{Mask: 6}}},
		},
		{
			name: "annotation", annotations: map[string]string{annotations.ContainerMemorySizeInMB: "64", "other": "x"},
			want: Limits{CPURate: 5000, MemoryBytes: 64 << 20, Affinity: []Affinity{{Mask: 1}}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := j.Update(now, c.r, c.annotations)
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("error %v, limits (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestUpdateNamesTheField(t *testing.T) {
	j := Job{host: Host{Processors: 4}}
	for field, c := range map[string]struct {
		r     specs.WindowsResources
		class error
	}{
		"windows.resources.cpu.maximum":          {specs.WindowsResources{CPU: &specs.WindowsCPUResources{Maximum: new(uint16(10001))}}, errdefs.ErrInvalidArgument},
		"windows.resources.cpu.affinity[0].mask": {specs.WindowsResources{CPU: &specs.WindowsCPUResources{Affinity: make([]specs.WindowsCPUGroupAffinity, 1)}}, errdefs.ErrInvalidArgument},
		"windows.resources.storage.iops":         {specs.WindowsResources{Storage: &specs.WindowsStorageResources{Iops: new(uint64(1))}}, errdefs.ErrNotImplemented},
	} {
		now := Limits{CPUWeight: 3}
		got, err := j.Update(now, &c.r, nil)
		if !errors.Is(err, c.class) || !strings.Contains(err.Error(), field) || !cmp.Equal(got, now) {
			t.Errorf("%s: %v with %+v, want %v that names it and the limits as they were", field, err, got, c.class)
		}
	}
}
