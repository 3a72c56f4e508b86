package hcs

import "testing"

func TestCallNames(t *testing.T) {
	if CallStartSystem.String() != "StartSystem" || CallModifySystem.String() != "ModifySystem" || CallModifyProcess.String() != "ModifyProcess" {
		t.Error("names and numbers of the calls do not go together")
	}
	if EventSystemExited.String() != "system exited" || Event(0x99).String() != "event 0x00000099" {
		t.Error("names of events")
	}
}
