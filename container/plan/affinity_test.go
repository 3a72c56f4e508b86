package plan

import (
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

// Until then the processors of a job are in one group, and those of a container in group 0.
func TestAffinity_BeforeBuild20348_OneGroupOnly(t *testing.T) {
	const field = "windows.resources.cpu.affinity"
	for _, tt := range []struct {
		name     string
		build    uint32
		affinity []specs.WindowsCPUGroupAffinity
		refused  bool
	}{
		{"group 0", 17763, []specs.WindowsCPUGroupAffinity{{Mask: 3}}, false},
		{"group 1", 17763, []specs.WindowsCPUGroupAffinity{{Mask: 3, Group: 1}}, true},
		{"two groups", 17763, []specs.WindowsCPUGroupAffinity{{Mask: 3}, {Mask: 1, Group: 1}}, true},
		{"two groups on the build before", 20347, []specs.WindowsCPUGroupAffinity{{Mask: 3}, {Mask: 1, Group: 1}}, true},
		{"group 1 on the build", 20348, []specs.WindowsCPUGroupAffinity{{Mask: 3, Group: 1}}, false},
		{"two groups on the build", 20348, []specs.WindowsCPUGroupAffinity{{Mask: 3}, {Mask: 1, Group: 1}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := specs.WindowsResources{CPU: &specs.WindowsCPUResources{Affinity: tt.affinity}}
			h := machine(app)
			h.Build = tt.build
			inside := isolated()
			inside.Build = tt.build
			job, jobErr := h.HostProcess("c", hostProcessSpec(resources(r)), nil)
			server, serverErr := inside.WCOW("c", wcowSpec(resources(r)), nil)
			update := HostProcess{host: h.withDefaults()}
			_, updateErr := update.Update(jobobject.Limits{}, Requested{}, &r, nil)
			for kind, err := range map[string]error{"job": jobErr, "server": serverErr, "update": updateErr} {
				switch {
				case !tt.refused && err != nil:
					t.Errorf("%s: %v", kind, err)
				case tt.refused && !errdefs.IsNotImplemented(err):
					t.Errorf("%s: %v, want not implemented", kind, err)
				case tt.refused:
					for _, part := range []string{field, "20348", "group 0"} {
						if !strings.Contains(err.Error(), part) {
							t.Errorf("%s: %q does not say %q", kind, err, part)
						}
					}
				}
			}
			if !tt.refused && (len(job.Limits.Affinity) != len(tt.affinity) || !cmp.Equal(job.Limits.Affinity, server.Affinity)) {
				t.Errorf("affinity %v of a job, %v of a server container, want %v", job.Limits.Affinity, server.Affinity, tt.affinity)
			}
		})
	}
}

func TestAffinity_BestEffort_IsLeftOutWithWarning(t *testing.T) {
	two := resources(specs.WindowsResources{CPU: &specs.WindowsCPUResources{
		Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 3}, {Mask: 1, Group: 1}},
	}})
	best := func(s *specs.Spec) { s.Annotations[BestEffort] = "true" }
	h, inside := machine(app), isolated()
	h.Build, inside.Build = 17763, 17763
	job, err := h.HostProcess("c", hostProcessSpec(two, best), nil)
	if err != nil || job.Limits.Affinity != nil || !strings.Contains(strings.Join(job.Warnings, " "), "cpu.affinity") {
		t.Errorf("job: %v, affinity %v, warnings %q", err, job.Limits.Affinity, job.Warnings)
	}
	server, err := inside.WCOW("c", wcowSpec(two, best), nil)
	if err != nil || server.Affinity != nil || !strings.Contains(strings.Join(server.Warnings, " "), "cpu.affinity") {
		t.Errorf("server: %v, affinity %v, warnings %q", err, server.Affinity, server.Warnings)
	}
}

// 24 of 96 processors are a quarter, whatever their groups.
func TestHostProcess_CPUCountOfTwoGroups_IsShareOfMachine(t *testing.T) {
	h := machine(app)
	h.Processors = 96
	j, err := h.HostProcess("c", hostProcessSpec(resources(specs.WindowsResources{CPU: &specs.WindowsCPUResources{Count: new(uint64(24))}})), nil)
	if err != nil || j.Limits.CPURate != 2500 {
		t.Errorf("rate %d, %v, want 2500", j.Limits.CPURate, err)
	}
}
