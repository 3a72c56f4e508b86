package hcs

import (
	"fmt"
	"sync"

	"github.com/siloshim/siloshim/internal/inbox"
)

// Event is the kind of a [Notification].
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcs_event_type
type Event uint32

const (
	EventSystemExited          Event = 0x00000001 // a [schema.SystemExitStatus]
	EventSystemCrashInitiated  Event = 0x00000002
	EventSystemCrashReport     Event = 0x00000003
	EventSystemSiloJobCreated  Event = 0x00000005
	EventGuestConnectionClosed Event = 0x00000006
	EventProcessExited         Event = 0x00010000 // a [schema.ProcessStatus]
	EventOperationCallback     Event = 0x01000000
	EventServiceDisconnected   Event = 0x02000000 // nothing else will come
)

var eventNames = map[Event]string{
	EventSystemExited:          "system exited",
	EventSystemCrashInitiated:  "system crash initiated",
	EventSystemCrashReport:     "system crash report",
	EventSystemSiloJobCreated:  "silo job created",
	EventGuestConnectionClosed: "guest connection closed",
	EventProcessExited:         "process exited",
	EventOperationCallback:     "operation callback",
	EventServiceDisconnected:   "service disconnected",
}

func (e Event) String() string {
	if s, ok := eventNames[e]; ok {
		return s
	}
	return fmt.Sprintf("event 0x%08x", uint32(e))
}

// Notification is an event of a system or a process. Document is the document of
// the event, as JSON, or empty.
type Notification struct {
	Event    Event
	Document string
}

// notificationBuffer is how many notifications wait for a slow reader before more are
// dropped. A container has about five in its life.
const notificationBuffer = 64

// watch takes the notifications of one handle. Its put runs on a thread of the
// service, so it must not wait: it makes no call, decodes no document and does not
// send to a full channel.
type watch struct {
	end  Event         // the event after which there is no other
	done chan struct{} // closed by the event end, or when the service is lost

	inbox inbox.Inbox[Notification]

	mu    sync.Mutex // guards the fields below
	last  Notification
	ended bool
	lost  error // why done was closed without any event, or nil
}

func newWatch(end Event) *watch { return &watch{end: end, done: make(chan struct{})} }

func (w *watch) put(n Notification) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if (n.Event == w.end || n.Event == EventServiceDisconnected) && !w.ended {
		w.last, w.ended = n, true
		close(w.done)
	}
	w.inbox.Put(n)
}

// markLost closes done without an event, because of what the service has answered. An
// event that came before stays.
func (w *watch) markLost(answer error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.lost, w.ended = fmt.Errorf("%w: %w", ErrNoExitCode, answer), true
		close(w.done)
	}
}

// final is the notification that closed done.
func (w *watch) final() (Notification, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost != nil {
		return w.last, w.lost
	}
	if w.last.Event == EventServiceDisconnected {
		return w.last, CodeServiceDisconnect
	}
	return w.last, nil
}
