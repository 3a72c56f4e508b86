package winsys

import (
	"testing"

	"golang.org/x/sys/windows"
)

// An event that resets itself signals one watch, and the next one sees the next signal.
func TestWatch_EventSetTwice_EachIsSeen(t *testing.T) {
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(event)
	for range 2 {
		signaled, stop, err := Watch(event)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-signaled:
			t.Fatal("signaled before the event was set")
		default:
		}
		if err := windows.SetEvent(event); err != nil {
			t.Fatal(err)
		}
		<-signaled
		stop()
	}
}

// After stop the callback has returned, and nothing is left.
func TestWatch_Stopped_NothingRemains(t *testing.T) {
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	signaled, stop, err := Watch(event)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := windows.CloseHandle(event); err != nil {
		t.Fatal(err)
	}
	select {
	case <-signaled:
		t.Error("signaled without a signal")
	default:
	}
	for id := range watches.Range {
		t.Errorf("wait %v remains", id)
	}
}
