package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

// machine has four processors and these files.
func machine(files ...string) Machine {
	return Machine{
		Lookup: func(path string) bool {
			return slices.ContainsFunc(files, func(f string) bool { return strings.EqualFold(f, path) })
		},
		Processors: 4, Build: 20348, Root: `C:\Windows`,
		Resolve: func(path string) (string, error) { return path, nil },
	}
}

const app = `C:\app\app.exe`

// hostProcessSpec is the minimal specification of a job container.
func hostProcessSpec(change ...func(*specs.Spec)) *specs.Spec {
	s := &specs.Spec{
		Process: &specs.Process{Args: []string{app}, Cwd: `C:\app`},
		Windows: &specs.Windows{},
		Annotations: map[string]string{
			"microsoft.com/hostprocess-container":    "true",
			"microsoft.com/hostprocess-inherit-user": "true",
		},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

func annotate(key, value string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Annotations[key] = value }
}

func resources(r specs.WindowsResources) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Windows.Resources = &r }
}

func cpu(c specs.WindowsCPUResources) func(*specs.Spec) {
	return resources(specs.WindowsResources{CPU: &c})
}

func p[T any](v T) *T { return &v }

func TestHostProcess_MinimalSpec_IsPlanned(t *testing.T) {
	j, err := machine(app).HostProcess("c", hostProcessSpec(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Process{Program: app, Field: "process.args[0]", CommandLine: app, Env: []string{}, Width: 80, Height: 25}
	if diff := cmp.Diff(want, j.Process, cmpopts.IgnoreFields(Process{}, "Search")); diff != "" {
		t.Errorf("process (-want +got):\n%s", diff)
	}
	if application, dir, err := j.Process.Search.In(nil, nil); application != app || dir != `C:\app` || err != nil {
		t.Errorf("found %s in %s, %v", application, dir, err)
	}
	if !j.InheritUser || j.Root != nil || j.Warnings != nil || !cmp.Equal(jobobject.Limits{}, j.Limits) {
		t.Errorf("job %+v", j)
	}
}

func TestHostProcess_Resources_BecomeLimits(t *testing.T) {
	tests := []struct {
		name   string
		change []func(*specs.Spec)
		want   jobobject.Limits
	}{
		{"one processor of four", []func(*specs.Spec){cpu(specs.WindowsCPUResources{Count: p(uint64(1))})}, jobobject.Limits{CPURate: 2500}},
		{"more processors than there are", []func(*specs.Spec){cpu(specs.WindowsCPUResources{Count: p(uint64(1) << 63)})}, jobobject.Limits{CPURate: 10000}},
		{"maximum", []func(*specs.Spec){cpu(specs.WindowsCPUResources{Maximum: p(uint16(1))})}, jobobject.Limits{CPURate: 1}},
		{"least shares", []func(*specs.Spec){cpu(specs.WindowsCPUResources{Shares: p(uint16(1))})}, jobobject.Limits{CPUWeight: 1}},
		{"half the shares", []func(*specs.Spec){cpu(specs.WindowsCPUResources{Shares: p(uint16(5000))})}, jobobject.Limits{CPUWeight: 5}},
		{"all shares", []func(*specs.Spec){cpu(specs.WindowsCPUResources{Shares: p(uint16(10000))})}, jobobject.Limits{CPUWeight: 9}},
		{"zeros", []func(*specs.Spec){cpu(specs.WindowsCPUResources{Count: p(uint64(0)), Maximum: p(uint16(0)), Shares: p(uint16(0))})}, jobobject.Limits{}},
		{"an annotation before the field", []func(*specs.Spec){
			cpu(specs.WindowsCPUResources{Maximum: p(uint16(1))}), annotate("io.microsoft.container.processor.limit", "300"),
		}, jobobject.Limits{CPURate: 300}},
		{"memory in bytes", []func(*specs.Spec){resources(specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: p(uint64(8<<20 + 1))}})}, jobobject.Limits{JobMemory: 8<<20 + 1}},
		{"memory in megabytes", []func(*specs.Spec){annotate("io.microsoft.container.memory.sizeinmb", "8")}, jobobject.Limits{JobMemory: 8 << 20}},
		{"affinity", []func(*specs.Spec){cpu(specs.WindowsCPUResources{Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 3}, {Mask: 1, Group: 2}}})},
			jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 3}, {Mask: 1, Group: 2}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, err := machine(app).HostProcess("c", hostProcessSpec(tt.change...), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, j.Limits); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
	if got := jobobject.RateOfCPUs(1, 20_000); got != 1 {
		t.Errorf("one of 20,000 processors has rate %d, want 1", got)
	}
}

func TestHostProcess_UnsupportedField_IsRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*specs.Spec)
		class  error
		want   string
	}{
		{"linux", func(s *specs.Spec) { s.Linux = &specs.Linux{} }, errdefs.ErrNotImplemented, "linux:"},
		{"vm", func(s *specs.Spec) { s.VM = &specs.VM{} }, errdefs.ErrNotImplemented, "vm:"},
		{"no windows", func(s *specs.Spec) { s.Windows = nil }, errdefs.ErrInvalidArgument, "windows is missing"},
		{"hyper-v", func(s *specs.Spec) { s.Windows.HyperV = &specs.WindowsHyperV{} }, errdefs.ErrNotImplemented, "windows.hyperv"},
		{"another kind", annotate("microsoft.com/hostprocess-container", "True"), errdefs.ErrInvalidArgument, "is not a job container"},
		{"unsafe", annotate("io.microsoft.disable-unsafe-operations", "true"), errdefs.ErrPermissionDenied, "disable-hostprocess-container"},
		{"forbidden", annotate("microsoft.com/disable-hostprocess-container", "true"), errdefs.ErrPermissionDenied, "disable-hostprocess-container"},
		{"no user", annotate("microsoft.com/hostprocess-inherit-user", "false"), errdefs.ErrInvalidArgument, "process.user.username"},
		{"a directory as root", func(s *specs.Spec) { s.Root = &specs.Root{Path: `C:\x`} }, errdefs.ErrInvalidArgument, "root.path"},
		{"the host read-only", func(s *specs.Spec) { s.Root = &specs.Root{Readonly: true} }, errdefs.ErrNotImplemented, "root.readonly"},
		{"one layer", func(s *specs.Spec) { s.Windows.LayerFolders = []string{`C:\l`} }, errdefs.ErrInvalidArgument, "windows.layerFolders has 1"},
		{"a mount", func(s *specs.Spec) { s.Mounts = []specs.Mount{{Source: `C:\a`, Destination: `C:\b`}} }, errdefs.ErrNotImplemented, "mounts[0]"},
		{"memory with which it hangs", memoryLimit(8<<20 - 1), errdefs.ErrInvalidArgument, "windows.resources.memory.limit 8388607: use at least 8388608"},
		{"as few megabytes", annotate("io.microsoft.container.memory.sizeinmb", "7"), errdefs.ErrInvalidArgument, "sizeinmb 7: use at least 8:"},
		{"a pipe mount", func(s *specs.Spec) {
			s.Mounts = []specs.Mount{{Source: `C:\a`, Destination: `c:/A`}, {Source: `\\.\pipe\a`, Destination: `\\.\pipe\b`}}
		}, errdefs.ErrInvalidArgument, "mounts[1]"},
		{"credentials", func(s *specs.Spec) { s.Windows.CredentialSpec = "{}" }, errdefs.ErrNotImplemented, "windows.credentialSpec"},
		{"count and shares", cpu(specs.WindowsCPUResources{Count: p(uint64(1)), Shares: p(uint16(1))}), errdefs.ErrInvalidArgument, "cpu.count and windows.resources.cpu.shares exclude"},
		{"an annotation and a field", func(s *specs.Spec) {
			cpu(specs.WindowsCPUResources{Maximum: p(uint16(1))})(s)
			annotate("io.microsoft.container.processor.count", "1")(s)
		}, errdefs.ErrInvalidArgument, "annotation io.microsoft.container.processor.count and"},
		{"too much processor", cpu(specs.WindowsCPUResources{Maximum: p(uint16(10001))}), errdefs.ErrInvalidArgument, "cpu.maximum 10001"},
		{"not a number", annotate("io.microsoft.container.processor.weight", "lots"), errdefs.ErrInvalidArgument, "processor.weight"},
		{"too much memory", annotate("io.microsoft.container.memory.sizeinmb", "18446744073709551615"), errdefs.ErrInvalidArgument, "sizeinmb"},
		{"an empty mask", cpu(specs.WindowsCPUResources{Affinity: []specs.WindowsCPUGroupAffinity{{}}}), errdefs.ErrInvalidArgument, "affinity[0].mask"},
		{"a group twice", cpu(specs.WindowsCPUResources{Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1}, {Mask: 2}}}), errdefs.ErrInvalidArgument, "affinity[1].group"},
		{"a group out of range", cpu(specs.WindowsCPUResources{Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1, Group: 1 << 16}}}), errdefs.ErrInvalidArgument, "affinity[0].group"},
		{"storage", resources(specs.WindowsResources{Storage: &specs.WindowsStorageResources{Iops: p(uint64(5))}}), errdefs.ErrNotImplemented, "storage.iops"},
		{"storage by annotation", annotate("io.microsoft.container.storage.qos.bandwidthmaximum", "5"), errdefs.ErrNotImplemented, "bandwidthmaximum"},
		{"no process", func(s *specs.Spec) { s.Process = nil }, errdefs.ErrInvalidArgument, "process is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := machine(app).HostProcess("c", hostProcessSpec(tt.change), nil)
			if !errors.Is(err, tt.class) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want class %v and %q", err, tt.class, tt.want)
			}
		})
	}
}

func TestSearch_ProgramAppearsAfterPlanning_IsFound(t *testing.T) {
	files := map[string]bool{}
	h := machine()
	h.Lookup = func(path string) bool { return files[path] }
	j, err := h.HostProcess("c", hostProcessSpec(func(s *specs.Spec) { s.Process.Args = []string{"late.exe"}; s.Process.Cwd = `C:\work` }), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Process.Search.In(nil, nil); !errors.Is(err, errdefs.ErrNotFound) || !strings.Contains(err.Error(), `program "late.exe" not found`) {
		t.Errorf("without the program: %v", err)
	}
	files[`C:\work\late.exe`] = true
	if application, dir, err := j.Process.Search.In(nil, nil); application != `C:\work\late.exe` || dir != `C:\work` || err != nil {
		t.Errorf("found %q, %q, %v", application, dir, err)
	}
}

func TestHostProcess_BestEffort_WarnsForEachField(t *testing.T) {
	j, err := machine(app).HostProcess("c", hostProcessSpec(annotate(BestEffort, "true"), func(s *specs.Spec) {
		s.Root = &specs.Root{Readonly: true}
		s.Mounts = []specs.Mount{{Source: `C:\a`, Destination: `C:\b`}}
		s.Windows.CredentialSpec = "{}"
		s.Windows.Resources = &specs.WindowsResources{
			CPU:     &specs.WindowsCPUResources{Count: p(uint64(2))},
			Storage: &specs.WindowsStorageResources{Bps: p(uint64(1)), Iops: p(uint64(1)), SandboxSize: p(uint64(1))},
		}
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, w := range j.Warnings {
		field, _, _ := strings.Cut(w, ":")
		fields = append(fields, field)
	}
	want := []string{
		"root.readonly", "mounts[0]", "windows.credentialSpec",
		"windows.resources.storage.sandboxSize", "windows.resources.storage.bps", "windows.resources.storage.iops",
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("warned of (-want +got):\n%s", diff)
	}
	if j.Root != nil || j.Limits.CPURate != 5000 {
		t.Errorf("job %+v", j)
	}
}
