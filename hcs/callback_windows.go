package hcs

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
)

// receivers maps the number that a callback carries to the function it is for.
// Numbers and not pointers, as the service keeps them where Go's collector cannot
// see; and never the same twice, so that a late event has no receiver.
var receivers struct {
	sync.Map // uintptr to func(Notification)
	newest   atomic.Uintptr
}

// onEvent is the one callback of all handles: Go never frees a callback. It runs
// on a thread of the service.
//
//	void CALLBACK HCS_EVENT_CALLBACK(HCS_EVENT* event, void* context)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcs_event_callback
var onEvent = sync.OnceValue(func() uintptr {
	return windows.NewCallback(func(event *hcsEvent, id uintptr) uintptr {
		notify, ok := receivers.Load(id)
		if !ok || event == nil {
			return 0
		}
		n := Notification{Event: Event(event.Type)}
		if event.EventData != nil {
			n.Document, _ = winsys.Text(event.EventData) // the event counts, also without its document
		}
		notify.(func(Notification))(n)
		return 0
	})
})

// callbacks has the numbers of the handles of one kind.
type callbacks struct{ sync.Map } // uintptr of the handle to uintptr of the receiver

var systemCallbacks, processCallbacks callbacks

// set registers notify for handle by the function p of the service.
func (c *callbacks) set(p *windows.LazyProc, handle uintptr, notify func(Notification)) error {
	id := receivers.newest.Add(1)
	receivers.Store(id, notify)
	r, err := call(p, handle, 0, id, onEvent())
	if err == nil {
		err = outcome(r, "")
	}
	if err != nil {
		receivers.Delete(id)
		return err
	}
	c.Store(handle, id)
	return nil
}

// take returns the receiver of handle, or 0, before handle is closed. After that
// its value may be another's.
func (c *callbacks) take(handle uintptr) uintptr {
	id, ok := c.LoadAndDelete(handle)
	if !ok {
		return 0
	}
	return id.(uintptr)
}

// removeReceiver removes a receiver that will not be called any more.
func removeReceiver(id uintptr) { receivers.Delete(id) }
