package hcs

import (
	"testing"
	"unsafe"
)

// TestLayout has the sizes and offsets of 64-bit Windows.
func TestLayout(t *testing.T) {
	var (
		event hcsEvent
		info  hcsProcessInformation
	)
	for name, got := range map[string][2]uintptr{
		"HCS_EVENT":                         {unsafe.Sizeof(event), 24},
		"HCS_EVENT.Type":                    {unsafe.Offsetof(event.Type), 0},
		"HCS_EVENT.EventData":               {unsafe.Offsetof(event.EventData), 8},
		"HCS_EVENT.Operation":               {unsafe.Offsetof(event.Operation), 16},
		"HCS_PROCESS_INFORMATION":           {unsafe.Sizeof(info), 32},
		"HCS_PROCESS_INFORMATION.ProcessId": {unsafe.Offsetof(info.ProcessId), 0},
		"HCS_PROCESS_INFORMATION.Reserved":  {unsafe.Offsetof(info.Reserved), 4},
		"HCS_PROCESS_INFORMATION.StdInput":  {unsafe.Offsetof(info.StdInput), 8},
		"HCS_PROCESS_INFORMATION.StdOutput": {unsafe.Offsetof(info.StdOutput), 16},
		"HCS_PROCESS_INFORMATION.StdError":  {unsafe.Offsetof(info.StdError), 24},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %d, want %d", name, got[0], got[1])
		}
	}
}

func TestCallNames(t *testing.T) {
	if StartSystem.String() != "StartSystem" || ModifySystem.String() != "ModifySystem" || ModifyProcess.String() != "ModifyProcess" {
		t.Error("names and numbers of the calls do not go together")
	}
	if SystemExited.String() != "system exited" || Event(0x99).String() != "event 0x00000099" {
		t.Error("names of events")
	}
}
