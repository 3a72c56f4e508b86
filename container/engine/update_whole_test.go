package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// allResources is the whole set, as containerd's CRI sends it with each update: the container's specification, with
// the change laid over it.
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

// wholeStep is one update and what is in force after it.
type wholeStep struct {
	name           string
	r              *specs.WindowsResources
	memory         uint64 // in megabytes
	count, maximum uint32 // of processors, and ten thousandths
	processors     uint64
	refused        string
}

// wholeSteps are one after the other.
var wholeSteps = []wholeStep{
	{name: "the same again", r: allResources(), memory: 512, count: 1, processors: 1},
	{name: "other memory", r: allResources(withMemory(1 << 30)), memory: 1024, count: 1, processors: 1},
	{name: "a maximum beside the count", r: allResources(withMemory(1<<30), withMaximum(5000)), memory: 1024, maximum: 5000, processors: 1},
	{name: "both again", r: allResources(withMemory(2<<30), withMaximum(5000)), memory: 2048, maximum: 5000, processors: 1},
	{name: "two changes that contradict", r: allResources(withMemory(1<<30), withMaximum(6000), withCount(2)), memory: 2048, maximum: 5000, processors: 1,
		refused: "windows.resources.cpu.count and windows.resources.cpu.maximum exclude each other"},
	{name: "the count alone, as it was", r: allResources(withMemory(2 << 30)), memory: 2048, count: 1, processors: 1},
	{name: "other storage limits", r: allResources(withMemory(1<<30), withIops(7)), memory: 2048, count: 1, processors: 1, refused: "windows.resources.storage.iops"},
	{name: "too little memory", r: allResources(withMemory(8<<20 - 1)), memory: 2048, count: 1, processors: 1, refused: "windows.resources.memory.limit"},
	{name: "other processors", r: allResources(withMemory(1<<30), withAffinity(2)), memory: 1024, count: 1, processors: 2},
}

// check runs the updates on a container; inForce tells its memory in megabytes, its limit of the processors and which.
func (s wholeStep) check(t *testing.T, c container.Container, inForce func() (memory uint64, count, maximum uint32, processors uint64)) {
	t.Helper()
	err := c.Update(t.Context(), s.r, nil)
	if s.refused == "" && err != nil || s.refused != "" && (err == nil || !strings.Contains(err.Error(), s.refused)) {
		t.Errorf("%s: %v, want %q", s.name, err, s.refused)
	}
	got := wholeStep{name: s.name, r: s.r, refused: s.refused}
	got.memory, got.count, got.maximum, got.processors = inForce()
	if diff := cmp.Diff(s, got, cmp.AllowUnexported(wholeStep{})); diff != "" {
		t.Errorf("%s: in force (-want +got):\n%s", s.name, diff)
	}
}

func TestServerUpdate_WholeSet_OnlyChangesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		job := b.silo()
		c, _ := b.start(b.plan(func(s *specs.Spec) { s.Windows.Resources = allResources() }))
		for _, step := range wholeSteps {
			step.check(t, c, func() (uint64, uint32, uint32, uint64) {
				document, _ := b.service.Document("c")
				limits, err := job.QueryLimits(t.Context())
				if err != nil || len(limits.Affinity) != 1 {
					t.Fatalf("%s: processors %v, %v", step.name, limits.Affinity, err)
				}
				p := document.Container.Processor
				return document.Container.Memory.SizeInMB, p.Count, uint32(p.Maximum), limits.Affinity[0].Mask
			})
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// TestJobUpdate_WholeSet_OnlyChangesCount: a job container has no limits of storage, so its specification says that it
// can do without; of four processors one is a rate of 2500.
func TestJobUpdate_WholeSet_OnlyChangesCount(t *testing.T) {
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
	for _, step := range wholeSteps {
		switch step.name {
		case "other storage limits": // it can do without those as well
			step.refused, step.memory = "", 1024
		case "too little memory": // it takes what comes nearest
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

// TestServerUpdate_Failed_IsMadeByTheNext: the first half of an update is in force, and what the caller asks for next is
// not taken for that.
func TestServerUpdate_Failed_IsMadeByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.silo()
		c, _ := b.start(b.plan(func(s *specs.Spec) { s.Windows.Resources = allResources() }))
		u := c
		b.service.Fault("ModifySystem", hcstest.Fault{Skip: 1, Err: hcs.CodeWin32NoResources})
		if err := u.Update(t.Context(), allResources(withMaximum(5000), withMemory(1<<30)), nil); err == nil || !strings.Contains(err.Error(), "Memory") {
			t.Errorf("the service refuses the memory: %v", err)
		}
		if d, _ := b.service.Document("c"); d.Container.Processor.Maximum != 5000 {
			t.Fatalf("processor %+v, want the first half of the update in force", d.Container.Processor)
		}
		if err := u.Update(t.Context(), allResources(), nil); err != nil {
			t.Error(err)
		}
		if d, _ := b.service.Document("c"); d.Container.Processor.Count != 1 || d.Container.Processor.Maximum != 0 {
			t.Errorf("processor %+v, want the count again", d.Container.Processor)
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}
