package jobobject

import (
	"structs"
	"time"
)

// Bits of LimitFlags in JOBOBJECT_BASIC_LIMIT_INFORMATION.
const (
	limitWorkingSet      = 0x0001
	limitProcessTime     = 0x0002
	limitJobTime         = 0x0004
	limitActiveProcess   = 0x0008
	limitPriorityClass   = 0x0020
	limitPreserveJobTime = 0x0040
	limitSchedulingClass = 0x0080
	limitProcessMemory   = 0x0100
	limitJobMemory       = 0x0200
	limitDieOnException  = 0x0400
	limitBreakaway       = 0x0800
	limitSilentBreakaway = 0x1000
	limitKillOnClose     = 0x2000
)

// basicLimit is JOBOBJECT_BASIC_LIMIT_INFORMATION.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_limit_information
type basicLimit struct {
	_                       structs.HostLayout
	PerProcessUserTimeLimit int64
	PerJobUserTimeLimit     int64
	LimitFlags              uint32
	_                       uint32
	MinimumWorkingSetSize   uint64
	MaximumWorkingSetSize   uint64
	ActiveProcessLimit      uint32
	_                       uint32
	Affinity                uint64
	PriorityClass           uint32
	SchedulingClass         uint32
}

// ioCounters is IO_COUNTERS.
type ioCounters struct {
	_                   structs.HostLayout
	ReadOperationCount  uint64
	WriteOperationCount uint64
	OtherOperationCount uint64
	ReadTransferCount   uint64
	WriteTransferCount  uint64
	OtherTransferCount  uint64
}

// extendedLimit is JOBOBJECT_EXTENDED_LIMIT_INFORMATION.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_extended_limit_information
type extendedLimit struct {
	_                     structs.HostLayout
	BasicLimitInformation basicLimit
	IoInfo                ioCounters
	ProcessMemoryLimit    uint64
	JobMemoryLimit        uint64
	PeakProcessMemoryUsed uint64
	PeakJobMemoryUsed     uint64
}

// extended is the part of l that the structure carries. With keepJobTime a job
// time that is in force goes on; without, it starts anew.
func (l *Limits) extended(keepJobTime bool) extendedLimit {
	var x extendedLimit
	b := &x.BasicLimitInformation
	flag := func(on bool, bit uint32) {
		if on {
			b.LimitFlags |= bit
		}
	}
	flag(l.KillOnClose, limitKillOnClose)
	flag(l.Breakaway == BreakawayOnRequest, limitBreakaway)
	flag(l.Breakaway == BreakawayAlways, limitSilentBreakaway)
	flag(l.DieOnUnhandledException, limitDieOnException)
	flag(l.JobMemory != 0, limitJobMemory)
	flag(l.ProcessMemory != 0, limitProcessMemory)
	flag(l.MaxWorkingSet != 0, limitWorkingSet)
	flag(l.ActiveProcesses != 0, limitActiveProcess)
	flag(l.JobUserTime != 0 && keepJobTime, limitPreserveJobTime)
	flag(l.JobUserTime != 0 && !keepJobTime, limitJobTime)
	flag(l.ProcessUserTime != 0, limitProcessTime)
	flag(l.PriorityClass != 0, limitPriorityClass)
	x.JobMemoryLimit, x.ProcessMemoryLimit = l.JobMemory, l.ProcessMemory
	b.MinimumWorkingSetSize, b.MaximumWorkingSetSize = l.MinWorkingSet, l.MaxWorkingSet
	b.ActiveProcessLimit = l.ActiveProcesses
	b.PerJobUserTimeLimit, b.PerProcessUserTimeLimit = int64(l.JobUserTime/tick), int64(l.ProcessUserTime/tick)
	b.PriorityClass = uint32(l.PriorityClass)
	if l.SchedulingClass != nil {
		b.LimitFlags |= limitSchedulingClass
		b.SchedulingClass = uint32(*l.SchedulingClass)
	}
	return x
}

// read sets the part of l that the structure carries. Values whose flag is off
// mean nothing: a kernel may answer with what was there before.
func (x *extendedLimit) read(l *Limits) {
	b := &x.BasicLimitInformation
	on := func(bit uint32) bool { return b.LimitFlags&bit != 0 }
	got := Limits{KillOnClose: on(limitKillOnClose), DieOnUnhandledException: on(limitDieOnException)}
	switch {
	case on(limitSilentBreakaway):
		got.Breakaway = BreakawayAlways
	case on(limitBreakaway):
		got.Breakaway = BreakawayOnRequest
	}
	if on(limitJobMemory) {
		got.JobMemory = x.JobMemoryLimit
	}
	if on(limitProcessMemory) {
		got.ProcessMemory = x.ProcessMemoryLimit
	}
	if on(limitWorkingSet) && b.MaximumWorkingSetSize != 0 {
		got.MinWorkingSet, got.MaxWorkingSet = b.MinimumWorkingSetSize, b.MaximumWorkingSetSize
	}
	if on(limitActiveProcess) {
		got.ActiveProcesses = b.ActiveProcessLimit
	}
	if on(limitJobTime) {
		got.JobUserTime = duration(b.PerJobUserTimeLimit)
	}
	if on(limitProcessTime) {
		got.ProcessUserTime = duration(b.PerProcessUserTimeLimit)
	}
	if on(limitPriorityClass) {
		got.PriorityClass = PriorityClass(b.PriorityClass)
	}
	if on(limitSchedulingClass) {
		got.SchedulingClass = new(uint8(min(b.SchedulingClass, maxSchedulingClass)))
	}
	ExtendedLimits.Copy(l, &got)
}

// duration of a count of ticks, within what a Duration can be; the kernel counts
// no time below zero.
func duration(ticks int64) time.Duration {
	const most = (1<<63 - 1) / int64(tick)
	return time.Duration(min(max(0, ticks), most)) * tick
}
