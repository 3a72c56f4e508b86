package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

func TestHostProcessUpdate_NamedFields_ReplaceLimits(t *testing.T) {
	now := jobobject.Limits{CPURate: 5000, JobMemory: 1 << 30, Affinity: []jobobject.GroupAffinity{{Mask: 1}}}
	j := HostProcess{host: Machine{Processors: 4}}
	for _, c := range []struct {
		name        string
		r           *specs.WindowsResources
		annotations map[string]string
		want        jobobject.Limits
	}{
		{name: "nothing", want: now},
		{
			name: "memory",
			r:    &specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: new(uint64(2 << 30))}},
			want: jobobject.Limits{CPURate: 5000, JobMemory: 2 << 30, Affinity: []jobobject.GroupAffinity{{Mask: 1}}},
		},
		{
			name: "shares in the place of a rate",
			r:    &specs.WindowsResources{CPU: &specs.WindowsCPUResources{Shares: new(uint16(10000))}},
			want: jobobject.Limits{CPUWeight: 9, JobMemory: 1 << 30, Affinity: []jobobject.GroupAffinity{{Mask: 1}}},
		},
		{
			name: "count and processors",
			r:    &specs.WindowsResources{CPU: &specs.WindowsCPUResources{Count: new(uint64(1)), Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 6}}}},
			want: jobobject.Limits{CPURate: 2500, JobMemory: 1 << 30, Affinity: []jobobject.GroupAffinity{{Mask: 6}}},
		},
		{
			name: "annotation", annotations: map[string]string{annotations.ContainerMemorySizeInMB: "64", "other": "x"},
			want: jobobject.Limits{CPURate: 5000, JobMemory: 64 << 20, Affinity: []jobobject.GroupAffinity{{Mask: 1}}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := j.Update(now, Requested{}, c.r, c.annotations)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Limits); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHostProcessUpdate_InvalidValue_NamesField(t *testing.T) {
	j := HostProcess{host: Machine{Processors: 4}}
	for field, c := range map[string]struct {
		r     specs.WindowsResources
		class error
	}{
		"windows.resources.cpu.maximum":          {specs.WindowsResources{CPU: &specs.WindowsCPUResources{Maximum: new(uint16(10001))}}, errdefs.ErrInvalidArgument},
		"windows.resources.cpu.affinity[0].mask": {specs.WindowsResources{CPU: &specs.WindowsCPUResources{Affinity: make([]specs.WindowsCPUGroupAffinity, 1)}}, errdefs.ErrInvalidArgument},
		"windows.resources.storage.iops":         {specs.WindowsResources{Storage: &specs.WindowsStorageResources{Iops: new(uint64(1))}}, errdefs.ErrNotImplemented},
	} {
		_, err := j.Update(jobobject.Limits{CPUWeight: 3}, Requested{}, &c.r, nil)
		if !errors.Is(err, c.class) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v, want %v that names it", field, err, c.class)
		}
	}
}

// Every update has all fields of the specification, also those that an annotation overrode at creation.
func TestWCOWUpdate_FieldOverriddenByAnnotation_HasNoEffect(t *testing.T) {
	r := func(memory, count uint64) *specs.WindowsResources {
		return &specs.WindowsResources{
			Memory: &specs.WindowsMemoryResources{Limit: &memory}, CPU: &specs.WindowsCPUResources{Count: &count},
		}
	}
	v, err := isolated().WCOW("c", wcowSpec(resources(*r(512<<20, 1)),
		annotate(annotations.ContainerMemorySizeInMB, "2048"), annotate(annotations.ContainerProcessorCount, "3")), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := v.Requested
	for _, c := range []struct {
		r    *specs.WindowsResources
		want []string
	}{
		{r(512<<20, 1), []string{`{"Count":3}`, "2048"}},
		{&specs.WindowsResources{}, nil},
		{r(512<<20, 2), []string{`{"Count":2}`, "2048"}},
		{r(1<<30, 2), []string{`{"Count":2}`, "1024"}},
	} {
		u, err := v.Update(before, c.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, request := range u.Requests {
			got = append(got, string(request.Settings))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		before = u.Requested
	}
}

// The annotation is that of the container or of the update.
func TestWCOWUpdate_BestEffort_WarnsOnce(t *testing.T) {
	r := &specs.WindowsResources{
		Memory:  &specs.WindowsMemoryResources{Limit: p(uint64(1))},
		CPU:     &specs.WindowsCPUResources{Shares: p(uint16(20000))},
		Storage: &specs.WindowsStorageResources{Bps: p(uint64(7)), SandboxSize: p(uint64(8))},
	}
	best := map[string]string{BestEffort: "true"}
	for name, c := range map[string]struct{ own, update map[string]string }{"the container's": {best, nil}, "the update's": {nil, best}} {
		v, err := isolated().WCOW("c", wcowSpec(func(s *specs.Spec) { s.Annotations = c.own }), nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := v.Update(v.Requested, r, c.update)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(u.Warnings) != 4 || string(u.Requests[0].Settings) != `{"Weight":10000}` || string(u.Requests[1].Settings) != "8" {
			t.Errorf("%s: warnings %q, requests %s and %s", name, u.Warnings, u.Requests[0].Settings, u.Requests[1].Settings)
		}
		if again, err := v.Update(u.Requested, r, nil); err != nil || len(again.Warnings) > 0 {
			t.Errorf("%s: the same again: %v, warnings %q", name, err, again.Warnings)
		}
	}
}
