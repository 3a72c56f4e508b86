package jobobject

import (
	"structs"
	"time"
	"unsafe"
)

// Information classes of QueryInformationJobObject and SetInformationJobObject.
// Those without a page on Microsoft Learn are named in the
// JOBOBJECTINFOCLASS enumeration of winnt.h.
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-queryinformationjobobject
const (
	classBasicAccounting      = 1
	classProcessIDList        = 3
	classUIRestrictions       = 4
	classEndOfJobTime         = 6
	classCompletionPort       = 7
	classBasicAndIOAccounting = 8
	classExtendedLimit        = 9
	classGroupInformationEx   = 14
	classCPURateControl       = 15
	classFreeze               = 18
	classMemoryUsage          = 28
	classNetRateControl       = 32
	classNotificationLimit2   = 33
	classLimitViolation2      = 34
	classCreateSilo           = 35
	classSiloBasic            = 36
	classServerSiloBasic      = 38
	classIOAttribution        = 42
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
		UserTime:   duration(a.TotalUserTime),
		KernelTime: duration(a.TotalKernelTime),
		PageFaults: a.TotalPageFaultCount,
		Total:      a.TotalProcesses,
		Active:     a.ActiveProcesses,
		Terminated: a.TotalTerminatedProcesses,
	}
}

func (c *ioCounters) counters() IOCounters {
	return IOCounters{
		ReadCount: c.ReadOperationCount, WriteCount: c.WriteOperationCount, OtherCount: c.OtherOperationCount,
		ReadBytes: c.ReadTransferCount, WriteBytes: c.WriteTransferCount, OtherBytes: c.OtherTransferCount,
	}
}

// basicAndIOAccounting is JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_and_io_accounting_information
type basicAndIOAccounting struct {
	_     structs.HostLayout
	Basic basicAccounting
	IO    ioCounters
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

// memoryCounters is the part that VM_COUNTERS and SYSTEM_PROCESS_INFORMATION have in common.
type memoryCounters struct {
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
}

// vmCounters is VM_COUNTERS_EX2, the longest form of ProcessVmCounters. The
// first 96 bytes are VM_COUNTERS_EX, which older kernels stop at.
type vmCounters struct {
	_ structs.HostLayout
	memoryCounters
	PrivateUsage          uint64
	PrivateWorkingSetSize uint64
	SharedCommitUsage     uint64
}

// idListRoom is the length in 64-bit words of a process id list for n members.
func idListRoom(n int) int { return int(unsafe.Sizeof(processIDListHeader{})/8) + n }

// readProcessIDs takes a process id list apart into pids. The kernel's counts are
// not trusted further than there are words and room.
func readProcessIDs(words []uint64, pids []uint32) (listed, assigned int) {
	header := (*processIDListHeader)(unsafe.Pointer(&words[0]))
	ids := words[idListRoom(0):]
	listed = min(int(header.NumberOfProcessIdsInList), len(ids), len(pids))
	for i, id := range ids[:listed] {
		pids[i] = uint32(id)
	}
	return listed, max(listed, int(header.NumberOfAssignedProcesses))
}
