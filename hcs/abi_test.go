package hcs

import "testing"

func TestCallNames(t *testing.T) {
	if StartSystem.String() != "StartSystem" || ModifySystem.String() != "ModifySystem" || ModifyProcess.String() != "ModifyProcess" {
		t.Error("names and numbers of the calls do not go together")
	}
	if SystemExited.String() != "system exited" || Event(0x99).String() != "event 0x00000099" {
		t.Error("names of events")
	}
}
