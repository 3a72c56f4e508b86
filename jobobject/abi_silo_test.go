package jobobject

import (
	"testing"
	"unsafe"
)

func TestSiloLayout(t *testing.T) {
	var (
		silo   siloBasic
		server serverSiloBasic
		freeze freezeInformation
	)
	checkLayout(t, []layout{
		{"sizeof siloBasic", unsafe.Sizeof(silo), 16},
		{"siloBasic.SiloID", unsafe.Offsetof(silo.SiloID), 0},
		{"siloBasic.SiloParentID", unsafe.Offsetof(silo.SiloParentID), 4},
		{"siloBasic.NumberOfProcesses", unsafe.Offsetof(silo.NumberOfProcesses), 8},
		{"siloBasic.IsInServerSilo", unsafe.Offsetof(silo.IsInServerSilo), 12},

		{"sizeof serverSiloBasic", unsafe.Sizeof(server), serverSiloSizes[0]},
		{"serverSiloBasic.ServiceSessionID", unsafe.Offsetof(server.ServiceSessionID), 0},
		{"serverSiloBasic.State", unsafe.Offsetof(server.State), 4},
		{"serverSiloBasic.ExitStatus", unsafe.Offsetof(server.ExitStatus), 8},
		{"serverSiloBasic.IsDownlevelContainer", unsafe.Offsetof(server.IsDownlevelContainer), serverSiloSizes[2]},
		{"serverSiloBasic.APISetSchema", unsafe.Offsetof(server.APISetSchema), 16},
		{"serverSiloBasic.HostAPISetSchema", unsafe.Offsetof(server.HostAPISetSchema), 24},
		{"serverSiloBasic.ContainerBuildNumber", unsafe.Offsetof(server.ContainerBuildNumber), serverSiloSizes[1]},
		{"serverSiloBasic.HostBuildNumber", unsafe.Offsetof(server.HostBuildNumber), 36},

		{"sizeof freezeInformation", unsafe.Sizeof(freeze), 16},
		{"freezeInformation.Operations", unsafe.Offsetof(freeze.Operations), 0},
		{"freezeInformation.Freeze", unsafe.Offsetof(freeze.Freeze), 4},
		{"freezeInformation.Swap", unsafe.Offsetof(freeze.Swap), 5},
		{"freezeInformation.HighEdgeFilter", unsafe.Offsetof(freeze.HighEdgeFilter), 8},
		{"freezeInformation.LowEdgeFilter", unsafe.Offsetof(freeze.LowEdgeFilter), 12},
	})
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
