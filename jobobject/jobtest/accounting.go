package jobtest

import (
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// usage is what a process has used up so far.
type usage struct {
	user, kernel time.Duration
	faults       uint32
	io           jobobject.IOAttribution
	others       uint64 // operations that are neither a read nor a write
	otherBytes   uint64
}

func (u *usage) add(v usage) {
	u.user += v.user
	u.kernel += v.kernel
	u.faults += v.faults
	u.io.ReadCount += v.io.ReadCount
	u.io.ReadBytes += v.io.ReadBytes
	u.io.WriteCount += v.io.WriteCount
	u.io.WriteBytes += v.io.WriteBytes
	u.others += v.others
	u.otherBytes += v.otherBytes
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

// IOCounters implements [jobobject.Kernel]. Every read and write of a simulated process reaches a volume.
func (k *Kernel) IOCounters(h jobobject.Handle) (jobobject.IOCounters, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.askLocked("IOCounters", h)
	if err != nil {
		return jobobject.IOCounters{}, err
	}
	u := j.usedLocked()
	return jobobject.IOCounters{
		ReadCount: u.io.ReadCount, WriteCount: u.io.WriteCount, OtherCount: u.others,
		ReadBytes: u.io.ReadBytes, WriteBytes: u.io.WriteBytes, OtherBytes: u.otherBytes,
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
	if !j.trackIO {
		j.trackIO, j.ioBase = true, j.usedLocked().io
	}
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
	u, b := j.usedLocked().io, j.ioBase
	return jobobject.IOAttribution{
		ReadCount: u.ReadCount - b.ReadCount, ReadBytes: u.ReadBytes - b.ReadBytes,
		WriteCount: u.WriteCount - b.WriteCount, WriteBytes: u.WriteBytes - b.WriteBytes,
	}, nil
}
