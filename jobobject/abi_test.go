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
		lim  basicLimit
		ioc  ioCounters
		ext  extendedLimit
		cpu  cpuRateControl
		aff  groupAffinity
		mem  memoryUsage
		ioa  ioAttributionInformation
		vm   vmCounters
	)
	tests := []struct {
		field     string
		got, want uintptr
	}{
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

		{"sizeof basicLimit", unsafe.Sizeof(lim), 64},
		{"basicLimit.PerProcessUserTimeLimit", unsafe.Offsetof(lim.PerProcessUserTimeLimit), 0},
		{"basicLimit.PerJobUserTimeLimit", unsafe.Offsetof(lim.PerJobUserTimeLimit), 8},
		{"basicLimit.LimitFlags", unsafe.Offsetof(lim.LimitFlags), 16},
		{"basicLimit.MinimumWorkingSetSize", unsafe.Offsetof(lim.MinimumWorkingSetSize), 24},
		{"basicLimit.MaximumWorkingSetSize", unsafe.Offsetof(lim.MaximumWorkingSetSize), 32},
		{"basicLimit.ActiveProcessLimit", unsafe.Offsetof(lim.ActiveProcessLimit), 40},
		{"basicLimit.Affinity", unsafe.Offsetof(lim.Affinity), 48},
		{"basicLimit.PriorityClass", unsafe.Offsetof(lim.PriorityClass), 56},
		{"basicLimit.SchedulingClass", unsafe.Offsetof(lim.SchedulingClass), 60},

		{"sizeof ioCounters", unsafe.Sizeof(ioc), 48},
		{"ioCounters.ReadOperationCount", unsafe.Offsetof(ioc.ReadOperationCount), 0},
		{"ioCounters.WriteOperationCount", unsafe.Offsetof(ioc.WriteOperationCount), 8},
		{"ioCounters.OtherOperationCount", unsafe.Offsetof(ioc.OtherOperationCount), 16},
		{"ioCounters.ReadTransferCount", unsafe.Offsetof(ioc.ReadTransferCount), 24},
		{"ioCounters.WriteTransferCount", unsafe.Offsetof(ioc.WriteTransferCount), 32},
		{"ioCounters.OtherTransferCount", unsafe.Offsetof(ioc.OtherTransferCount), 40},

		{"sizeof extendedLimit", unsafe.Sizeof(ext), 144},
		{"extendedLimit.BasicLimitInformation", unsafe.Offsetof(ext.BasicLimitInformation), 0},
		{"extendedLimit.IoInfo", unsafe.Offsetof(ext.IoInfo), 64},
		{"extendedLimit.ProcessMemoryLimit", unsafe.Offsetof(ext.ProcessMemoryLimit), 112},
		{"extendedLimit.JobMemoryLimit", unsafe.Offsetof(ext.JobMemoryLimit), 120},
		{"extendedLimit.PeakProcessMemoryUsed", unsafe.Offsetof(ext.PeakProcessMemoryUsed), 128},
		{"extendedLimit.PeakJobMemoryUsed", unsafe.Offsetof(ext.PeakJobMemoryUsed), 136},

		{"sizeof cpuRateControl", unsafe.Sizeof(cpu), 8},
		{"cpuRateControl.ControlFlags", unsafe.Offsetof(cpu.ControlFlags), 0},
		{"cpuRateControl.Value", unsafe.Offsetof(cpu.Value), 4},

		{"sizeof groupAffinity", unsafe.Sizeof(aff), 16},
		{"groupAffinity.Mask", unsafe.Offsetof(aff.Mask), 0},
		{"groupAffinity.Group", unsafe.Offsetof(aff.Group), 8},
		{"groupAffinity.Reserved", unsafe.Offsetof(aff.Reserved), 10},

		{"sizeof memoryUsage", unsafe.Sizeof(mem), 16},
		{"memoryUsage.JobMemory", unsafe.Offsetof(mem.JobMemory), 0},
		{"memoryUsage.PeakJobMemoryUsed", unsafe.Offsetof(mem.PeakJobMemoryUsed), 8},

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
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s = %d, want %d", tt.field, tt.got, tt.want)
		}
	}
}

func TestExtendedLimitFlags(t *testing.T) {
	tests := []struct {
		name   string
		limits Limits
		flags  uint32
	}{
		{"nothing", Limits{}, 0},
		{"kill on close", Limits{KillOnClose: true}, 0x2000},
		{"job memory", Limits{JobMemory: 1 << 20}, 0x200},
		{"process memory", Limits{ProcessMemory: 1 << 20}, 0x100},
		{"processes", Limits{ActiveProcesses: 3}, 0x8},
		{"all", Limits{KillOnClose: true, JobMemory: 2, ProcessMemory: 1, ActiveProcesses: 3}, 0x2308},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.limits.extended()
			if got.BasicLimitInformation.LimitFlags != tt.flags {
				t.Errorf("LimitFlags = %#x, want %#x", got.BasicLimitInformation.LimitFlags, tt.flags)
			}
			if got.JobMemoryLimit != tt.limits.JobMemory || got.ProcessMemoryLimit != tt.limits.ProcessMemory ||
				got.BasicLimitInformation.ActiveProcessLimit != tt.limits.ActiveProcesses {
				t.Errorf("values = %+v, want those of %+v", got, tt.limits)
			}
		})
	}
}

func TestCPURateControl(t *testing.T) {
	tests := []struct {
		rate, weight, flags, value uint32
	}{
		{0, 0, 0, 0},
		{2500, 0, 0x5, 2500},
		{0, 7, 0x3, 7},
	}
	for _, tt := range tests {
		got := newCPURateControl(tt.rate, tt.weight)
		if got.ControlFlags != tt.flags || got.Value != tt.value {
			t.Errorf("newCPURateControl(%d, %d) = %+v, want flags %#x value %d", tt.rate, tt.weight, got, tt.flags, tt.value)
		}
	}
}

func TestAccountingUnits(t *testing.T) {
	raw := basicAccounting{TotalUserTime: 15_000_000, TotalKernelTime: 3, TotalPageFaultCount: 4, TotalProcesses: 5, ActiveProcesses: 2, TotalTerminatedProcesses: 1}
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
