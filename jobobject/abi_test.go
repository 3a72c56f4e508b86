package jobobject

import (
	"testing"
	"time"
	"unsafe"
)

func TestBasicAccounting_Ticks_AreDurations(t *testing.T) {
	raw := basicAccounting{
		TotalUserTime: 15_000_000, TotalKernelTime: 3,
		TotalPageFaultCount: 4, TotalProcesses: 5, ActiveProcesses: 2, TotalTerminatedProcesses: 1,
	}
	want := Accounting{UserTime: 1500 * time.Millisecond, KernelTime: 300, PageFaults: 4, Total: 5, Active: 2, Terminated: 1}
	if got := raw.accounting(); got != want {
		t.Errorf("accounting = %+v, want %+v", got, want)
	}
}

func TestIOAttributionInformation_Fields_AreCopied(t *testing.T) {
	raw := ioAttributionInformation{
		ReadStats:  ioAttributionStats{IoCount: 1, TotalSize: 2},
		WriteStats: ioAttributionStats{IoCount: 3, TotalSize: 4},
	}
	want := IOAttribution{ReadCount: 1, ReadBytes: 2, WriteCount: 3, WriteBytes: 4}
	if got := raw.attribution(); got != want {
		t.Errorf("attribution = %+v, want %+v", got, want)
	}
}

func TestIDListRoom_Members_HaveAWordEachAfterTheHeader(t *testing.T) {
	if got := idListRoom(3); got != 4 {
		t.Errorf("idListRoom(3) = %d, want the header's word and 3", got)
	}
}

func TestServerSiloSizes_OfEachRelease_EndWhereItsStructureEnds(t *testing.T) {
	var info serverSiloBasic
	want := [...]uintptr{
		unsafe.Sizeof(info), unsafe.Offsetof(info.ContainerBuildNumber), unsafe.Offsetof(info.IsDownlevelContainer),
	}
	if serverSiloSizes != want {
		t.Errorf("serverSiloSizes = %v, want %v", serverSiloSizes, want)
	}
}

func TestFreezeInformation_FreezeAndThaw_SetTheOperation(t *testing.T) {
	for frozen, want := range map[bool]freezeInformation{
		true: {Operations: 1, Freeze: 1}, false: {Operations: 1},
	} {
		if got := newFreezeInformation(frozen); got != want {
			t.Errorf("newFreezeInformation(%v) = %+v, want %+v", frozen, got, want)
		}
	}
}
