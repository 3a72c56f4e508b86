package jobobject

import (
	"structs"
	"time"
	"unsafe"
)

// Information classes of QueryInformationJobObject and SetInformationJobObject.
// Those without a page of their own on Microsoft Learn are named in the
// JOBOBJECTINFOCLASS enumeration of winnt.h.
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-queryinformationjobobject
const (
	classBasicAccounting    = 1
	classProcessIDList      = 3
	classCompletionPort     = 7
	classExtendedLimit      = 9
	classGroupInformationEx = 14
	classCPURateControl     = 15
	classMemoryUsage        = 28
	classIOAttribution      = 42
)

// Bits of LimitFlags in JOBOBJECT_BASIC_LIMIT_INFORMATION.
const (
	limitActiveProcess = 0x0008
	limitProcessMemory = 0x0100
	limitJobMemory     = 0x0200
	limitKillOnClose   = 0x2000
)

// Bits of ControlFlags in JOBOBJECT_CPU_RATE_CONTROL_INFORMATION.
const (
	cpuRateEnable      = 0x1
	cpuRateWeightBased = 0x2
	cpuRateHardCap     = 0x4
)

// ioAttributionEnable turns JOBOBJECT_IO_ATTRIBUTION_INFORMATION on.
const ioAttributionEnable = 0x1

// tick is the unit in which the kernel counts processor time.
const tick = 100 * time.Nanosecond

// basicAccounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_accounting_information
type basicAccounting struct {
	_                         structs.HostLayout
	TotalUserTime             int64
	TotalKernelTime           int64
	ThisPeriodTotalUserTime   int64
	ThisPeriodTotalKernelTime int64
	TotalPageFaultCount       uint32
	TotalProcesses            uint32
	ActiveProcesses           uint32
	TotalTerminatedProcesses  uint32
}

func (a *basicAccounting) accounting() Accounting {
	return Accounting{
		UserTime:   time.Duration(a.TotalUserTime) * tick,
		KernelTime: time.Duration(a.TotalKernelTime) * tick,
		PageFaults: a.TotalPageFaultCount,
		Total:      a.TotalProcesses,
		Active:     a.ActiveProcesses,
		Terminated: a.TotalTerminatedProcesses,
	}
}

// processIDListHeader is JOBOBJECT_BASIC_PROCESS_ID_LIST without its open array
// of ULONG_PTR, which follows at offset 8.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_process_id_list
type processIDListHeader struct {
	_                         structs.HostLayout
	NumberOfAssignedProcesses uint32
	NumberOfProcessIdsInList  uint32
}

// associateCompletionPort is JOBOBJECT_ASSOCIATE_COMPLETION_PORT.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_associate_completion_port
type associateCompletionPort struct {
	_              structs.HostLayout
	CompletionKey  uint64
	CompletionPort uint64
}

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

// extended is the class 9 half of l.
func (l *Limits) extended() extendedLimit {
	var x extendedLimit
	flag := func(on bool, bit uint32) {
		if on {
			x.BasicLimitInformation.LimitFlags |= bit
		}
	}
	flag(l.KillOnClose, limitKillOnClose)
	flag(l.JobMemory != 0, limitJobMemory)
	flag(l.ProcessMemory != 0, limitProcessMemory)
	flag(l.ActiveProcesses != 0, limitActiveProcess)
	x.JobMemoryLimit = l.JobMemory
	x.ProcessMemoryLimit = l.ProcessMemory
	x.BasicLimitInformation.ActiveProcessLimit = l.ActiveProcesses
	return x
}

// cpuRateControl is JOBOBJECT_CPU_RATE_CONTROL_INFORMATION; Value is its union.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_cpu_rate_control_information
type cpuRateControl struct {
	_            structs.HostLayout
	ControlFlags uint32
	Value        uint32
}

// newCPURateControl encodes a hard cap, a weight, or (both zero) no control.
func newCPURateControl(rate, weight uint32) cpuRateControl {
	switch {
	case rate != 0:
		return cpuRateControl{ControlFlags: cpuRateEnable | cpuRateHardCap, Value: rate}
	case weight != 0:
		return cpuRateControl{ControlFlags: cpuRateEnable | cpuRateWeightBased, Value: weight}
	default:
		return cpuRateControl{}
	}
}

// groupAffinity is GROUP_AFFINITY.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-group_affinity
type groupAffinity struct {
	_        structs.HostLayout
	Mask     uint64
	Group    uint16
	Reserved [3]uint16
}

// memoryUsage is JOBOBJECT_MEMORY_USAGE_INFORMATION.
type memoryUsage struct {
	_                 structs.HostLayout
	JobMemory         uint64
	PeakJobMemoryUsed uint64
}

// ioAttributionStats is JOBOBJECT_IO_ATTRIBUTION_STATS.
type ioAttributionStats struct {
	_                             structs.HostLayout
	IoCount                       uint64
	TotalNonOverlappedQueueTime   uint64
	TotalNonOverlappedServiceTime uint64
	TotalSize                     uint64
}

// ioAttributionInformation is JOBOBJECT_IO_ATTRIBUTION_INFORMATION.
type ioAttributionInformation struct {
	_            structs.HostLayout
	ControlFlags uint32
	_            uint32
	ReadStats    ioAttributionStats
	WriteStats   ioAttributionStats
}

func (i *ioAttributionInformation) attribution() IOAttribution {
	return IOAttribution{
		ReadCount: i.ReadStats.IoCount, ReadBytes: i.ReadStats.TotalSize,
		WriteCount: i.WriteStats.IoCount, WriteBytes: i.WriteStats.TotalSize,
	}
}

// vmCounters is VM_COUNTERS_EX2, the longest form of ProcessVmCounters. The
// first 96 bytes are VM_COUNTERS_EX, which older kernels stop at.
type vmCounters struct {
	_                          structs.HostLayout
	PeakVirtualSize            uint64
	VirtualSize                uint64
	PageFaultCount             uint32
	_                          uint32
	PeakWorkingSetSize         uint64
	WorkingSetSize             uint64
	QuotaPeakPagedPoolUsage    uint64
	QuotaPagedPoolUsage        uint64
	QuotaPeakNonPagedPoolUsage uint64
	QuotaNonPagedPoolUsage     uint64
	PagefileUsage              uint64
	PeakPagefileUsage          uint64
	PrivateUsage               uint64
	PrivateWorkingSetSize      uint64
	SharedCommitUsage          uint64
}

// idListRoom is the length in 64-bit words of a process id list for n members.
func idListRoom(n int) int { return int(unsafe.Sizeof(processIDListHeader{})/8) + n }
