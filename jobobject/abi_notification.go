package jobobject

import (
	"structs"
	"time"
)

// Bits of LimitFlags in JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION_2.
const (
	notifyJobTime    = 0x000004
	notifyHighMemory = 0x000200
	notifyLowMemory  = 0x008000
	notifyReadBytes  = 0x010000
	notifyWriteBytes = 0x020000
	notifyCPURate    = 0x040000
	notifyNetRate    = 0x100000
)

// notificationLimit is JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION_2.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_notification_limit_information_2
type notificationLimit struct {
	_                               structs.HostLayout
	IoReadBytesLimit                uint64
	IoWriteBytesLimit               uint64
	PerJobUserTimeLimit             int64
	JobHighMemoryLimit              uint64
	CpuRateControlTolerance         uint32
	CpuRateControlToleranceInterval uint32
	LimitFlags                      uint32
	IoRateControlTolerance          uint32
	JobLowMemoryLimit               uint64
	IoRateControlToleranceInterval  uint32
	NetRateControlTolerance         uint32
	NetRateControlToleranceInterval uint32
	_                               uint32
}

func newNotificationLimit(n *NotificationLimits) notificationLimit {
	info := notificationLimit{
		IoReadBytesLimit: n.ReadBytes, IoWriteBytesLimit: n.WriteBytes,
		PerJobUserTimeLimit: int64(n.JobUserTime / tick),
		JobHighMemoryLimit:  n.HighMemory, JobLowMemoryLimit: n.LowMemory,
		CpuRateControlTolerance: uint32(n.CPU.Level), CpuRateControlToleranceInterval: uint32(n.CPU.Interval),
		NetRateControlTolerance: uint32(n.Net.Level), NetRateControlToleranceInterval: uint32(n.Net.Interval),
	}
	for _, f := range []struct {
		on  bool
		bit uint32
	}{
		{n.JobUserTime != 0, notifyJobTime},
		{n.HighMemory != 0, notifyHighMemory},
		{n.LowMemory != 0, notifyLowMemory},
		{n.ReadBytes != 0, notifyReadBytes},
		{n.WriteBytes != 0, notifyWriteBytes},
		{n.CPU.Level != 0, notifyCPURate},
		{n.Net.Level != 0, notifyNetRate},
	} {
		if f.on {
			info.LimitFlags |= f.bit
		}
	}
	return info
}

// limits takes the values whose flag is on.
func (i *notificationLimit) limits() (n NotificationLimits) {
	on := func(bit uint32) bool { return i.LimitFlags&bit != 0 }
	if on(notifyJobTime) {
		n.JobUserTime = duration(i.PerJobUserTimeLimit)
	}
	if on(notifyHighMemory) {
		n.HighMemory = i.JobHighMemoryLimit
	}
	if on(notifyLowMemory) {
		n.LowMemory = i.JobLowMemoryLimit
	}
	if on(notifyReadBytes) {
		n.ReadBytes = i.IoReadBytesLimit
	}
	if on(notifyWriteBytes) {
		n.WriteBytes = i.IoWriteBytesLimit
	}
	if on(notifyCPURate) {
		n.CPU = RateTolerance{ToleranceLevel(i.CpuRateControlTolerance), ToleranceInterval(i.CpuRateControlToleranceInterval)}
	}
	if on(notifyNetRate) {
		n.Net = RateTolerance{ToleranceLevel(i.NetRateControlTolerance), ToleranceInterval(i.NetRateControlToleranceInterval)}
	}
	return n
}

// limitViolation is JOBOBJECT_LIMIT_VIOLATION_INFORMATION_2.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_limit_violation_information_2
type limitViolation struct {
	_                            structs.HostLayout
	LimitFlags                   uint32
	ViolationLimitFlags          uint32
	IoReadBytes                  uint64
	IoReadBytesLimit             uint64
	IoWriteBytes                 uint64
	IoWriteBytesLimit            uint64
	PerJobUserTime               int64
	PerJobUserTimeLimit          int64
	JobMemory                    uint64
	JobHighMemoryLimit           uint64
	CpuRateControlTolerance      uint32
	CpuRateControlToleranceLimit uint32
	JobLowMemoryLimit            uint64
	IoRateControlTolerance       uint32
	IoRateControlToleranceLimit  uint32
	NetRateControlTolerance      uint32
	NetRateControlToleranceLimit uint32
}

// violation takes the values whose violation flag is on.
func (i *limitViolation) violation() (v Violation) {
	passed := func(bit uint32, value, threshold uint64) *Crossed[uint64] {
		if i.ViolationLimitFlags&bit == 0 {
			return nil
		}
		return &Crossed[uint64]{value, threshold}
	}
	v.HighMemory = passed(notifyHighMemory, i.JobMemory, i.JobHighMemoryLimit)
	v.LowMemory = passed(notifyLowMemory, i.JobMemory, i.JobLowMemoryLimit)
	v.ReadBytes = passed(notifyReadBytes, i.IoReadBytes, i.IoReadBytesLimit)
	v.WriteBytes = passed(notifyWriteBytes, i.IoWriteBytes, i.IoWriteBytesLimit)
	if i.ViolationLimitFlags&notifyJobTime != 0 {
		v.JobUserTime = new(Crossed[time.Duration]{duration(i.PerJobUserTime), duration(i.PerJobUserTimeLimit)})
	}
	if i.ViolationLimitFlags&notifyCPURate != 0 {
		v.CPU = ToleranceLevel(i.CpuRateControlTolerance)
	}
	if i.ViolationLimitFlags&notifyNetRate != 0 {
		v.Net = ToleranceLevel(i.NetRateControlTolerance)
	}
	return v
}
