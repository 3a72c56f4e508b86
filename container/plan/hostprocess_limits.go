package plan

import (
	"fmt"
	"math"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Limits are in the units of a job object. A zero is no limit.
type Limits struct {
	// CPURate is the hard cap in hundredths of a percent of the whole machine, 1 to 10000.
	// https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-jobobject_cpu_rate_control_information
	CPURate uint32
	// CPUWeight is the share against other jobs, 1 to 9. Not both CPURate and CPUWeight are set.
	CPUWeight uint32
	// MemoryBytes is the memory that the processes may commit together. Beyond it allocations fail.
	MemoryBytes uint64
	// Affinity names the processors to run on, at most once per group.
	Affinity []Affinity
}

// Affinity is a set of processors of one processor group.
type Affinity struct {
	Mask  uint64
	Group uint16
}

// whole is the processor time of the machine, as the spec and the job object count it.
const whole = 10000

func (j *HostProcess) planLimits(s *specs.Spec) error {
	u, err := j.Update(Limits{}, Requested{}, s.Windows.Resources, s.Annotations)
	if err != nil {
		return err
	}
	j.Limits, j.Requested, j.Warnings = u.Limits, u.Requested, append(j.Warnings, u.Warnings...)
	return nil
}

// limitCPU takes the place of the limit that is there, as only one of them can be.
func (j *HostProcess) limitCPU(l *Limits, p processorLimit) {
	l.CPURate, l.CPUWeight = 0, 0
	switch p.kind {
	case byCount:
		l.CPURate = rateOf(p.value, j.host.Processors)
	case byMaximum:
		l.CPURate = uint32(p.value)
	case byShares:
		l.CPUWeight = uint32(1 + 8*p.value/whole)
	}
}

// rateOf is the share of the machine that count processors are: all of it at most, and never nothing.
func rateOf(count uint64, processors int) uint32 {
	n := uint64(processors)
	return uint32(max(1, min(count, n)*whole/n))
}

// severalGroupsBuild is Windows Server 2022, the first whose containers may have processors of several groups, or of
// another than group 0.
const severalGroupsBuild = 20348

// affinity checks the processors, and leaves them out where this Windows cannot bind to them and best effort is enough.
func (c *Compromise) affinity(h Machine, r specs.WindowsResources) ([]Affinity, error) {
	list, err := readAffinity(r)
	if err != nil || h.Build >= severalGroupsBuild || len(list) == 0 || len(list) == 1 && list[0].Group == 0 {
		return list, err
	}
	return nil, c.lacks("windows.resources.cpu.affinity", fmt.Sprintf("Windows build %d binds a container to processors of group 0 alone; "+
		"name one mask of group 0, or use build %d or later", h.Build, severalGroupsBuild))
}

func readAffinity(r specs.WindowsResources) (list []Affinity, err error) {
	if r.CPU == nil {
		return nil, nil
	}
	seen := map[uint32]bool{}
	for i, a := range r.CPU.Affinity {
		field := fmt.Sprintf("windows.resources.cpu.affinity[%d]", i)
		switch {
		case a.Mask == 0:
			return nil, fmt.Errorf("%s.mask is zero: name at least one processor: %w", field, errdefs.ErrInvalidArgument)
		case a.Group > math.MaxUint16:
			return nil, fmt.Errorf("%s.group %d: use 0 to %d: %w", field, a.Group, math.MaxUint16, errdefs.ErrInvalidArgument)
		case seen[a.Group]:
			return nil, fmt.Errorf("%s.group %d is named twice: join the masks: %w", field, a.Group, errdefs.ErrInvalidArgument)
		}
		seen[a.Group] = true
		list = append(list, Affinity{Mask: a.Mask, Group: uint16(a.Group)})
	}
	return list, nil
}

// first returns the error that came first.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
