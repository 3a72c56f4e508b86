package jobobject

import (
	"testing"
	"time"
	"unsafe"
)

// The figures come from the Windows SDK headers for Win64, not from the Go
// declarations, so a field that moves is found here and not on a host.
func TestLayout(t *testing.T) {
	var (
		acct basicAccounting
		list processIDListHeader
		port associateCompletionPort
		mem  memoryUsage
		ioa  ioAttributionInformation
		bio  basicAndIOAccounting
		vm   vmCounters
	)
	checkLayout(t, []layout{
		{"sizeof basicAccounting", unsafe.Sizeof(acct), 48},
		{"basicAccounting.TotalUserTime", unsafe.Offsetof(acct.TotalUserTime), 0},
		{"basicAccounting.TotalKernelTime", unsafe.Offsetof(acct.TotalKernelTime), 8},
		{"basicAccounting.ThisPeriodTotalUserTime", unsafe.Offsetof(acct.ThisPeriodTotalUserTime), 16},
		{"basicAccounting.ThisPeriodTotalKernelTime", unsafe.Offsetof(acct.ThisPeriodTotalKernelTime), 24},
		{"basicAccounting.TotalPageFaultCount", unsafe.Offsetof(acct.TotalPageFaultCount), 32},
		{"basicAccounting.TotalProcesses", unsafe.Offsetof(acct.TotalProcesses), 36},
		{"basicAccounting.ActiveProcesses", unsafe.Offsetof(acct.ActiveProcesses), 40},
		{"basicAccounting.TotalTerminatedProcesses", unsafe.Offsetof(acct.TotalTerminatedProcesses), 44},

		{"sizeof processIDListHeader", unsafe.Sizeof(list), 8},
		{"processIDListHeader.NumberOfAssignedProcesses", unsafe.Offsetof(list.NumberOfAssignedProcesses), 0},
		{"processIDListHeader.NumberOfProcessIdsInList", unsafe.Offsetof(list.NumberOfProcessIdsInList), 4},

		{"sizeof associateCompletionPort", unsafe.Sizeof(port), 16},
		{"associateCompletionPort.CompletionKey", unsafe.Offsetof(port.CompletionKey), 0},
		{"associateCompletionPort.CompletionPort", unsafe.Offsetof(port.CompletionPort), 8},

		{"sizeof memoryUsage", unsafe.Sizeof(mem), 16},
		{"memoryUsage.JobMemory", unsafe.Offsetof(mem.JobMemory), 0},
		{"memoryUsage.PeakJobMemoryUsed", unsafe.Offsetof(mem.PeakJobMemoryUsed), 8},

		{"sizeof basicAndIOAccounting", unsafe.Sizeof(bio), 96},
		{"basicAndIOAccounting.Basic", unsafe.Offsetof(bio.Basic), 0},
		{"basicAndIOAccounting.IO", unsafe.Offsetof(bio.IO), 48},
		{"sizeof ioAttributionStats", unsafe.Sizeof(ioa.ReadStats), 32},
		{"ioAttributionStats.IoCount", unsafe.Offsetof(ioa.ReadStats.IoCount), 0},
		{"ioAttributionStats.TotalNonOverlappedQueueTime", unsafe.Offsetof(ioa.ReadStats.TotalNonOverlappedQueueTime), 8},
		{"ioAttributionStats.TotalNonOverlappedServiceTime", unsafe.Offsetof(ioa.ReadStats.TotalNonOverlappedServiceTime), 16},
		{"ioAttributionStats.TotalSize", unsafe.Offsetof(ioa.ReadStats.TotalSize), 24},
		{"sizeof ioAttributionInformation", unsafe.Sizeof(ioa), 72},
		{"ioAttributionInformation.ControlFlags", unsafe.Offsetof(ioa.ControlFlags), 0},
		{"ioAttributionInformation.ReadStats", unsafe.Offsetof(ioa.ReadStats), 8},
		{"ioAttributionInformation.WriteStats", unsafe.Offsetof(ioa.WriteStats), 40},

		{"sizeof vmCounters", unsafe.Sizeof(vm), 112},
		{"vmCounters.PeakVirtualSize", unsafe.Offsetof(vm.PeakVirtualSize), 0},
		{"vmCounters.VirtualSize", unsafe.Offsetof(vm.VirtualSize), 8},
		{"vmCounters.PageFaultCount", unsafe.Offsetof(vm.PageFaultCount), 16},
		{"vmCounters.PeakWorkingSetSize", unsafe.Offsetof(vm.PeakWorkingSetSize), 24},
		{"vmCounters.WorkingSetSize", unsafe.Offsetof(vm.WorkingSetSize), 32},
		{"vmCounters.QuotaPeakPagedPoolUsage", unsafe.Offsetof(vm.QuotaPeakPagedPoolUsage), 40},
		{"vmCounters.QuotaPagedPoolUsage", unsafe.Offsetof(vm.QuotaPagedPoolUsage), 48},
		{"vmCounters.QuotaPeakNonPagedPoolUsage", unsafe.Offsetof(vm.QuotaPeakNonPagedPoolUsage), 56},
		{"vmCounters.QuotaNonPagedPoolUsage", unsafe.Offsetof(vm.QuotaNonPagedPoolUsage), 64},
		{"vmCounters.PagefileUsage", unsafe.Offsetof(vm.PagefileUsage), 72},
		{"vmCounters.PeakPagefileUsage", unsafe.Offsetof(vm.PeakPagefileUsage), 80},
		{"vmCounters.PrivateUsage", unsafe.Offsetof(vm.PrivateUsage), 88},
		{"vmCounters.PrivateWorkingSetSize", unsafe.Offsetof(vm.PrivateWorkingSetSize), 96},
		{"vmCounters.SharedCommitUsage", unsafe.Offsetof(vm.SharedCommitUsage), 104},
	})
}

// layout is a size or an offset, as it is and as it has to be.
type layout struct {
	field     string
	got, want uintptr
}

func checkLayout(t *testing.T, fields []layout) {
	t.Helper()
	for _, f := range fields {
		if f.got != f.want {
			t.Errorf("%s = %d, want %d", f.field, f.got, f.want)
		}
	}
}

func TestAccountingUnits(t *testing.T) {
	raw := basicAccounting{
		TotalUserTime: 15_000_000, TotalKernelTime: 3,
		TotalPageFaultCount: 4, TotalProcesses: 5, ActiveProcesses: 2, TotalTerminatedProcesses: 1,
	}
	want := Accounting{UserTime: 1500 * time.Millisecond, KernelTime: 300, PageFaults: 4, Total: 5, Active: 2, Terminated: 1}
	if got := raw.accounting(); got != want {
		t.Errorf("accounting = %+v, want %+v", got, want)
	}
}

func TestIOAttributionFields(t *testing.T) {
	raw := ioAttributionInformation{
		ReadStats:  ioAttributionStats{IoCount: 1, TotalSize: 2},
		WriteStats: ioAttributionStats{IoCount: 3, TotalSize: 4},
	}
	want := IOAttribution{ReadCount: 1, ReadBytes: 2, WriteCount: 3, WriteBytes: 4}
	if got := raw.attribution(); got != want {
		t.Errorf("attribution = %+v, want %+v", got, want)
	}
}

func TestIDListRoom(t *testing.T) {
	if got := idListRoom(3); got != 4 {
		t.Errorf("idListRoom(3) = %d, want the header's word and 3", got)
	}
}
