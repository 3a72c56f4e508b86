package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// allResources is what containerd's CRI sends with each update: the resources of the specification with the change.
func allResources(change ...func(*specs.WindowsResources)) *specs.WindowsResources {
	r := &specs.WindowsResources{
		Memory: &specs.WindowsMemoryResources{Limit: new(uint64(512 << 20))},
		CPU: &specs.WindowsCPUResources{
			Count: new(uint64(1)), Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1}},
		},
		Storage: &specs.WindowsStorageResources{Bps: new(uint64(1 << 20)), Iops: new(uint64(100)), SandboxSize: new(uint64(1 << 34))},
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func withMemory(n uint64) func(*specs.WindowsResources) {
	return func(r *specs.WindowsResources) { r.Memory.Limit = &n }
}

func withMaximum(n uint16) func(*specs.WindowsResources) {
	return func(r *specs.WindowsResources) { r.CPU.Maximum = &n }
}

func withCount(n uint64) func(*specs.WindowsResources) {
	return func(r *specs.WindowsResources) { r.CPU.Count = &n }
}

func withIops(n uint64) func(*specs.WindowsResources) {
	return func(r *specs.WindowsResources) { r.Storage.Iops = &n }
}

func withAffinity(mask uint64) func(*specs.WindowsResources) {
	return func(r *specs.WindowsResources) { r.CPU.Affinity = []specs.WindowsCPUGroupAffinity{{Mask: mask}} }
}

// updateStep is one update and the limits in force after it.
type updateStep struct {
	name           string
	r              *specs.WindowsResources
	memory         uint64 // in megabytes
	count, maximum uint32 // of processors, and ten thousandths
	processors     uint64
	refused        string
}

// updateSteps is a sequence of updates.
var updateSteps = []updateStep{
	{name: "the same again", r: allResources(), memory: 512, count: 1, processors: 1},
	{name: "other memory", r: allResources(withMemory(1 << 30)), memory: 1024, count: 1, processors: 1},
	{name: "a maximum beside the count", r: allResources(withMemory(1<<30), withMaximum(5000)), memory: 1024, maximum: 5000, processors: 1},
	{name: "both again", r: allResources(withMemory(2<<30), withMaximum(5000)), memory: 2048, maximum: 5000, processors: 1},
	{name: "two changes that exclude each other", r: allResources(withMemory(1<<30), withMaximum(6000), withCount(2)), memory: 2048, maximum: 5000, processors: 1,
		refused: "windows.resources.cpu.count and windows.resources.cpu.maximum exclude each other"},
	{name: "the count alone, as it was", r: allResources(withMemory(2 << 30)), memory: 2048, count: 1, processors: 1},
	{name: "other storage limits", r: allResources(withMemory(1<<30), withIops(7)), memory: 2048, count: 1, processors: 1, refused: "windows.resources.storage.iops"},
	{name: "too little memory", r: allResources(withMemory(8<<20 - 1)), memory: 2048, count: 1, processors: 1, refused: "windows.resources.memory.limit"},
	{name: "other processors", r: allResources(withMemory(1<<30), withAffinity(2)), memory: 1024, count: 1, processors: 2},
}

// check updates a container. inForce returns its memory limit in megabytes, its processor limit, and its processors.
func (s updateStep) check(t *testing.T, c container.Container, inForce func() (memory uint64, count, maximum uint32, processors uint64)) {
	t.Helper()
	err := c.Update(t.Context(), s.r, nil)
	if s.refused == "" && err != nil || s.refused != "" && (err == nil || !strings.Contains(err.Error(), s.refused)) {
		t.Errorf("%s: %v, want %q", s.name, err, s.refused)
	}
	got := updateStep{name: s.name, r: s.r, refused: s.refused}
	got.memory, got.count, got.maximum, got.processors = inForce()
	if diff := cmp.Diff(s, got, cmp.AllowUnexported(updateStep{})); diff != "" {
		t.Errorf("%s: in force (-want +got):\n%s", s.name, diff)
	}
}

func TestWCOWUpdate_AllResources_OnlyChangesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		job := env.silo()
		c, _ := env.start(env.plan(func(s *specs.Spec) { s.Windows.Resources = allResources() }))
		for _, step := range updateSteps {
			step.check(t, c, func() (uint64, uint32, uint32, uint64) {
				document, _ := env.service.Document("c")
				limits, err := job.QueryLimits(t.Context())
				if err != nil || len(limits.Affinity) != 1 {
					t.Fatalf("%s: processors %v, %v", step.name, limits.Affinity, err)
				}
				p := document.Container.Processor
				return document.Container.Memory.SizeInMB, p.Count, uint32(p.Maximum), limits.Affinity[0].Mask
			})
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

// A job container has no storage limits, so the specification asks for best effort. One of four processors is a rate of
// 2500.
func TestHostProcessUpdate_AllResources_OnlyChangesCount(t *testing.T) {
	k := jobtest.New()
	planned, err := plan.Machine{Processors: 4, Lookup: func(string) bool { return true }}.HostProcess("c", &specs.Spec{
		Process: &specs.Process{Args: []string{`C:\app.exe`}, Cwd: `C:\`},
		Windows: &specs.Windows{Resources: allResources()},
		Annotations: map[string]string{
			"microsoft.com/hostprocess-container": "true", "microsoft.com/hostprocess-inherit-user": "true", plan.BestEffort: "true",
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := engine.Engine{Kernel: k}.HostProcess(t.Context(), "ns", "c", t.TempDir(), planned)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, step := range updateSteps {
		switch step.name {
		case "other storage limits": // best effort
			step.refused, step.memory = "", 1024
		case "too little memory": // the nearest value
			step.refused, step.memory = "", 8
		}
		step.check(t, c, func() (uint64, uint32, uint32, uint64) {
			l := inForce(t, k)
			if len(l.Affinity) != 1 {
				t.Fatalf("%s: %+v", step.name, l)
			}
			count, maximum := uint32(0), l.CPURate
			if l.CPURate == 2500 {
				count, maximum = 1, 0
			}
			return l.JobMemory >> 20, count, maximum, l.Affinity[0].Mask
		})
	}
}

// The first half of the failed update is in force.
func TestWCOWUpdate_FailsHalfWay_NextSetsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		env.silo()
		c, _ := env.start(env.plan(func(s *specs.Spec) { s.Windows.Resources = allResources() }))
		u := c
		env.service.Fault("ModifySystem", hcstest.Fault{Skip: 1, Err: hcs.CodeWin32NoResources})
		if err := u.Update(t.Context(), allResources(withMaximum(5000), withMemory(1<<30)), nil); err == nil || !strings.Contains(err.Error(), "Memory") {
			t.Errorf("the service refuses the memory: %v", err)
		}
		if d, _ := env.service.Document("c"); d.Container.Processor.Maximum != 5000 {
			t.Fatalf("processor %+v, want the first half of the update in force", d.Container.Processor)
		}
		if err := u.Update(t.Context(), allResources(), nil); err != nil {
			t.Error(err)
		}
		if d, _ := env.service.Document("c"); d.Container.Processor.Count != 1 || d.Container.Processor.Maximum != 0 {
			t.Errorf("processor %+v, want the count again", d.Container.Processor)
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}
