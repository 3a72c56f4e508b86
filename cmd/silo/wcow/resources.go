package wcow

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

// Resources are the limits of a job that a Windows Server container can have. rest has the others.
func Resources(l jobobject.Limits) (r *specs.WindowsResources, rest jobobject.Limits) {
	r = &specs.WindowsResources{CPU: &specs.WindowsCPUResources{}}
	if l.JobMemory > 0 {
		r.Memory = &specs.WindowsMemoryResources{Limit: new(l.JobMemory)}
	}
	if l.CPURate > 0 {
		r.CPU.Maximum = new(uint16(l.CPURate))
	}
	if l.CPUWeight > 0 {
		// The weight of a job is 1 to 9, that of a compute system 1 to 10000.
		r.CPU.Shares = new(uint16(max(1, (l.CPUWeight-1)*1250)))
	}
	for _, a := range l.Affinity {
		r.CPU.Affinity = append(r.CPU.Affinity, specs.WindowsCPUGroupAffinity{Mask: a.Mask, Group: uint32(a.Group)})
	}
	l.JobMemory, l.CPURate, l.CPUWeight, l.Affinity, l.KillOnClose, l.CPUNotify = 0, 0, 0, nil, false, false
	return r, l
}
