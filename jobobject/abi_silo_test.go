package jobobject

import (
	"testing"
	"unsafe"
)

func TestServerSiloSizes_OfEachRelease_EndWhereItsStructureEnds(t *testing.T) {
	var info serverSiloBasic
	want := [...]uintptr{
		unsafe.Sizeof(info), unsafe.Offsetof(info.ContainerBuildNumber), unsafe.Offsetof(info.IsDownlevelContainer),
	}
	if serverSiloSizes != want {
		t.Errorf("serverSiloSizes = %v, want %v", serverSiloSizes, want)
	}
}

func TestFreezeInformation(t *testing.T) {
	for frozen, want := range map[bool]freezeInformation{
		true: {Operations: 1, Freeze: 1}, false: {Operations: 1},
	} {
		if got := newFreezeInformation(frozen); got != want {
			t.Errorf("newFreezeInformation(%v) = %+v, want %+v", frozen, got, want)
		}
	}
}
