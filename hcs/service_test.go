package hcs

import (
	"context"
	"errors"
	"runtime"
	"testing"
)

func TestComputeCore_OtherOperatingSystem_ReturnsErrNotSupported(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("this is Windows")
	}
	c := new(Client)
	_, open := c.Open(context.Background(), "c1")
	_, list := c.Enumerate(context.Background(), nil)
	_, create := c.Create(context.Background(), "c1", nil)
	for _, err := range []error{open, list, create} {
		if !errors.Is(err, ErrNotSupported) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("error %v", err)
		}
	}
}

func TestString_CallsAndEvents_HaveTheirNames(t *testing.T) {
	for got, want := range map[string]string{
		CallStartSystem.String(): "StartSystem", CallModifySystem.String(): "ModifySystem", CallModifyProcess.String(): "ModifyProcess",
		EventSystemExited.String(): "system exited", Event(0x99).String(): "event 0x00000099",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
