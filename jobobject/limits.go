package jobobject

import (
	"errors"
	"fmt"
	"slices"
)

// Limits bound what the members of a job may use together. The zero value of a
// field is no limit.
type Limits struct {
	KillOnClose     bool            // end all members with the last handle
	JobMemory       uint64          // committed bytes of all members together
	ProcessMemory   uint64          // committed bytes of each member
	ActiveProcesses uint32          // members at a time
	CPURate         uint32          // hard cap, 1 to 10000 hundredths of a percent of all processors
	CPUWeight       uint32          // share under contention, 1 to 9; excludes CPURate
	Affinity        []GroupAffinity // processors the members may run on
}

// GroupAffinity is a set of processors of one processor group.
type GroupAffinity struct {
	Mask  uint64
	Group uint16
}

const (
	maxCPURate   = 10000
	maxCPUWeight = 9
)

// Validate names the first field that is out of its range, and the range.
func (l *Limits) Validate() error {
	switch {
	case l.CPURate > maxCPURate:
		return fmt.Errorf("CPURate is %d, want 1 to %d", l.CPURate, maxCPURate)
	case l.CPUWeight > maxCPUWeight:
		return fmt.Errorf("CPUWeight is %d, want 1 to %d", l.CPUWeight, maxCPUWeight)
	case l.CPURate != 0 && l.CPUWeight != 0:
		return errors.New("CPURate and CPUWeight exclude each other")
	case l.JobMemory != 0 && l.ProcessMemory > l.JobMemory:
		return fmt.Errorf("ProcessMemory is %d, want at most JobMemory, %d", l.ProcessMemory, l.JobMemory)
	}
	seen := make(map[uint16]bool, len(l.Affinity))
	for i, a := range l.Affinity {
		if a.Mask == 0 {
			return fmt.Errorf("Affinity[%d].Mask is 0, want at least one processor", i)
		}
		if seen[a.Group] {
			return fmt.Errorf("Affinity[%d].Group is %d again, want each group once", i, a.Group)
		}
		seen[a.Group] = true
	}
	return nil
}

// SetLimits makes l the limits of the job, all of them: a zero field takes that
// limit away. Only an affinity cannot be taken away again, just changed. When
// the kernel refuses a part, the error names it and the parts before it stay
// set, as [Job.Limits] tells.
//
// The wanted state is kept here and each kernel structure is always written
// whole. Reading it back to change one field is no alternative: a kernel that
// answers zeros would make the job lose its kill on close.
func (j *Job) SetLimits(l Limits) error {
	const op = "set limits of job"
	if err := l.Validate(); err != nil {
		return fail(op, j.name, err)
	}
	// The lock spans the calls on purpose: two sets must not mix.
	j.limitMu.Lock()
	defer j.limitMu.Unlock()
	return fail(op, j.name, j.with(func(h Handle) error { return j.applyLocked(h, &l) }))
}

func (j *Job) applyLocked(h Handle, l *Limits) error {
	have := &j.limits
	if err := j.kernel.SetExtendedLimits(h, l); err != nil {
		return fmt.Errorf("memory, processes and kill on close: %w", err)
	}
	have.KillOnClose, have.JobMemory = l.KillOnClose, l.JobMemory
	have.ProcessMemory, have.ActiveProcesses = l.ProcessMemory, l.ActiveProcesses

	if l.CPURate != have.CPURate || l.CPUWeight != have.CPUWeight {
		if err := j.kernel.SetCPURate(h, l.CPURate, l.CPUWeight); err != nil {
			return fmt.Errorf("processor rate: %w", err)
		}
		have.CPURate, have.CPUWeight = l.CPURate, l.CPUWeight
	}
	if slices.Equal(l.Affinity, have.Affinity) {
		return nil
	}
	if len(l.Affinity) == 0 {
		return fmt.Errorf("affinity cannot be taken away: %w", ErrNotSupported)
	}
	if err := j.kernel.SetAffinity(h, l.Affinity); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	have.Affinity = slices.Clone(l.Affinity)
	return nil
}

// Limits returns what was set through this Job. It does not ask the kernel.
func (j *Job) Limits() Limits {
	j.limitMu.Lock()
	defer j.limitMu.Unlock()
	l := j.limits
	l.Affinity = slices.Clone(l.Affinity)
	return l
}
