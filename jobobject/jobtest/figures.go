package jobtest

import (
	"slices"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// usage is what a process has used up so far.
type usage struct {
	user, kernel time.Duration
	faults       uint32
	io           jobobject.IOAttribution
}

func (u *usage) add(v usage) {
	u.user += v.user
	u.kernel += v.kernel
	u.faults += v.faults
	u.io.ReadCount += v.io.ReadCount
	u.io.ReadBytes += v.io.ReadBytes
	u.io.WriteCount += v.io.WriteCount
	u.io.WriteBytes += v.io.WriteBytes
}

func (j *job) usedLocked() usage {
	u := j.gone
	for _, m := range j.members {
		u.add(m.usage)
	}
	return u
}

// Accounting implements [jobobject.Kernel].
func (k *Kernel) Accounting(h jobobject.Handle) (jobobject.Accounting, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.askLocked("Accounting", h)
	if err != nil {
		return jobobject.Accounting{}, err
	}
	u := j.usedLocked()
	return jobobject.Accounting{
		UserTime: u.user, KernelTime: u.kernel, PageFaults: u.faults,
		Total: j.total, Active: uint32(len(j.members)), Terminated: j.refused,
	}, nil
}

// MemoryUsage implements [jobobject.Kernel].
func (k *Kernel) MemoryUsage(h jobobject.Handle) (jobobject.MemoryUsage, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.askLocked("MemoryUsage", h)
	if err != nil {
		return jobobject.MemoryUsage{}, err
	}
	return jobobject.MemoryUsage{Commit: j.commitLocked(), PeakCommit: j.peak}, nil
}

// EnableIOAttribution implements [jobobject.Kernel].
func (k *Kernel) EnableIOAttribution(h jobobject.Handle) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := lookLocked[*job](k, "EnableIOAttribution", h, uint32(jobobject.AccessSetAttributes))
	if err != nil {
		return err
	}
	j.trackIO = true
	return nil
}

// IOAttribution implements [jobobject.Kernel].
func (k *Kernel) IOAttribution(h jobobject.Handle) (jobobject.IOAttribution, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.askLocked("IOAttribution", h)
	if err != nil {
		return jobobject.IOAttribution{}, err
	}
	if !j.trackIO {
		return jobobject.IOAttribution{}, jobobject.ErrNotSupported
	}
	return j.usedLocked().io, nil
}

// SetExtendedLimits implements [jobobject.Kernel].
func (k *Kernel) SetExtendedLimits(h jobobject.Handle, l *jobobject.Limits) error {
	return k.setLimits("SetExtendedLimits", h, func(have *jobobject.Limits) {
		have.KillOnClose, have.JobMemory = l.KillOnClose, l.JobMemory
		have.ProcessMemory, have.ActiveProcesses = l.ProcessMemory, l.ActiveProcesses
	})
}

// SetCPURate implements [jobobject.Kernel].
func (k *Kernel) SetCPURate(h jobobject.Handle, rate, weight uint32) error {
	return k.setLimits("SetCPURate", h, func(have *jobobject.Limits) {
		have.CPURate, have.CPUWeight = rate, weight
	})
}

// SetAffinity implements [jobobject.Kernel].
func (k *Kernel) SetAffinity(h jobobject.Handle, groups []jobobject.GroupAffinity) error {
	return k.setLimits("SetAffinity", h, func(have *jobobject.Limits) {
		have.Affinity = slices.Clone(groups)
	})
}

func (k *Kernel) setLimits(op string, h jobobject.Handle, set func(*jobobject.Limits)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := lookLocked[*job](k, op, h, uint32(jobobject.AccessSetAttributes))
	if err != nil {
		return err
	}
	set(&j.limits)
	return nil
}

// Limits returns the limits in force on the job with this name, if there is one.
func (k *Kernel) Limits(name string) (jobobject.Limits, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j := k.named[nameKey(name)]
	if j == nil {
		return jobobject.Limits{}, false
	}
	l := j.limits
	l.Affinity = slices.Clone(l.Affinity)
	return l, true
}
