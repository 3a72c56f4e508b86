package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// forgetfulKernel is a kernel that ignores a part of the limits.
type forgetfulKernel struct {
	*jobtest.Kernel
	part jobobject.LimitPart
}

func (k *forgetfulKernel) QueryLimits(job jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits) error {
	if err := k.Kernel.QueryLimits(job, part, l); err != nil {
		return err
	}
	if part == k.part {
		part.Copy(l, &jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 1 << 40}}})
	}
	return nil
}

// inForce queries the limits of the container.
func inForce(t *testing.T, k jobobject.Kernel) jobobject.Limits {
	t.Helper()
	job, err := jobobject.Open(hostprocess.JobName("ns", "c"), jobobject.OpenOptions{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	l, err := job.QueryLimits(t.Context())
	if err = errors.Join(err, job.Close()); err != nil {
		t.Fatal(err)
	}
	return l
}

// resources has one limit of each kind.
func resources() *specs.WindowsResources {
	return &specs.WindowsResources{
		Memory: &specs.WindowsMemoryResources{Limit: new(uint64(64 << 20))},
		CPU: &specs.WindowsCPUResources{
			Maximum: new(uint16(2500)), Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1}},
		},
	}
}

// newJob makes a container with a memory limit.
func newJob(t *testing.T, k jobobject.Kernel) *hostprocess.Container {
	t.Helper()
	c, err := engine.Engine{Kernel: k}.HostProcess(t.Context(), "ns", "c", t.TempDir(), &plan.HostProcess{InheritUser: true, Limits: jobobject.Limits{JobMemory: 32 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c.(*hostprocess.Container)
}

func TestHostProcessUpdate_Limits_AreInForce(t *testing.T) {
	k := jobtest.New()
	j := newJob(t, k)
	if err := j.Update(t.Context(), resources(), nil); err != nil {
		t.Fatal(err)
	}
	want := jobobject.Limits{
		KillOnClose: true, JobMemory: 64 << 20, CPURate: 2500, Affinity: []jobobject.GroupAffinity{{Mask: 1}},
	}
	if diff := cmp.Diff(want, inForce(t, k)); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if err := j.Update(t.Context(), &specs.WindowsResources{CPU: &specs.WindowsCPUResources{Shares: new(uint16(1))}}, nil); err != nil {
		t.Fatal(err)
	}
	want.CPURate, want.CPUWeight = 0, 1
	if diff := cmp.Diff(want, inForce(t, k)); diff != "" {
		t.Errorf("limits after the second update (-want +got):\n%s", diff)
	}
}

// The kernel refuses one part after others were set.
func TestHostProcessUpdate_KernelRefuses_RestoresLimits(t *testing.T) {
	k := jobtest.New()
	j := newJob(t, k)
	before := inForce(t, k)
	k.Fail("SetLimits processor rate", 1, jobobject.ErrNotSupported)
	if err := j.Update(t.Context(), resources(), nil); !errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), "processor rate") {
		t.Errorf("update: %v, want not implemented that names the processor rate", err)
	}
	if diff := cmp.Diff(before, inForce(t, k)); diff != "" {
		t.Errorf("limits (-before +after):\n%s", diff)
	}
}

func TestHostProcessUpdate_KernelIgnoresLimit_ErrorNamesIt(t *testing.T) {
	for field, part := range map[string]jobobject.LimitPart{
		"windows.resources.memory.limit": jobobject.ExtendedLimits,
		"windows.resources.cpu.maximum":  jobobject.CPULimits,
		"windows.resources.cpu.affinity": jobobject.AffinityLimits,
	} {
		k := &forgetfulKernel{Kernel: jobtest.New(), part: part}
		err := newJob(t, k).Update(t.Context(), resources(), nil)
		if !errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v, want not implemented that names it", field, err)
		}
		if l := inForce(t, k.Kernel); l.JobMemory != 32<<20 || l.CPURate != 0 {
			t.Errorf("%s: %+v is in force, want what was before", field, l)
		}
	}
}
