package jobobject

import "structs"

// siloBasic is SILOOBJECT_BASIC_INFORMATION of winnt.h.
type siloBasic struct {
	_                 structs.HostLayout
	SiloID            uint32
	SiloParentID      uint32
	NumberOfProcesses uint32
	IsInServerSilo    uint8
	_                 [3]uint8
}

func (i *siloBasic) silo() Silo {
	return Silo{ID: i.SiloID, ParentID: i.SiloParentID, Processes: i.NumberOfProcesses, InServerSilo: i.IsInServerSilo != 0}
}

// serverSiloBasic is SERVERSILO_BASIC_INFORMATION of winnt.h, which has grown
// twice. A kernel takes its own size only; the fields that are read are in all three.
type serverSiloBasic struct {
	_                    structs.HostLayout
	ServiceSessionID     uint32
	State                uint32
	ExitStatus           uint32
	IsDownlevelContainer uint8 // Windows 10 1607 ends before this
	_                    [3]uint8
	APISetSchema         uint64
	HostAPISetSchema     uint64
	ContainerBuildNumber uint32 // Windows before Server 2025 ends before this
	HostBuildNumber      uint32
}

// serverSiloSizes are the lengths of serverSiloBasic, newest first.
var serverSiloSizes = [...]uintptr{40, 32, 12}

func (i *serverSiloBasic) serverSilo() ServerSilo {
	return ServerSilo{SessionID: i.ServiceSessionID, State: ServerSiloState(i.State), ExitStatus: i.ExitStatus}
}

// freezeInformation is JOBOBJECT_FREEZE_INFORMATION, which Microsoft has not
// documented; the layout is that of phnt's ntpsapi.h and of the public symbols of ntoskrnl.
type freezeInformation struct {
	_              structs.HostLayout
	Operations     uint32 // freezeOperation, and two that we leave alone
	Freeze         uint8
	Swap           uint8
	_              [2]uint8
	HighEdgeFilter uint32
	LowEdgeFilter  uint32
}

const freezeOperation = 0x1

func newFreezeInformation(frozen bool) freezeInformation {
	info := freezeInformation{Operations: freezeOperation}
	if frozen {
		info.Freeze = 1
	}
	return info
}
