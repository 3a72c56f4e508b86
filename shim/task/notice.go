package task

import (
	"time"

	"github.com/containerd/containerd/api/events"
)

// Notice is what a container tells about a limit that was met.
type Notice struct {
	// Reason is ReasonOutOfMemory or ReasonLimit.
	Reason Reason
	// Pid is the process that met it, 0 if none in particular did.
	Pid uint32
}

// oomPause is the shortest time between two TaskOOM events: a program that goes on asking is refused again and again.
const oomPause = time.Second

// Notice takes note of a limit that was met: it becomes the reason of the process's end, should that come with an
// error, and init's where init did not start the process itself. Refused memory is announced as TaskOOM, at most once a
// second, between init's start and its exit.
func (t *Task) Notice(n Notice) {
	<-t.Init.started // whatever meets a limit was launched, but that may not have been announced yet
	p := t.owner(n.Pid)
	p.mu.Lock()
	p.end.limit = n.Reason
	p.mu.Unlock()
	if n.Reason != ReasonOutOfMemory {
		return
	}
	t.order.Lock()
	defer t.order.Unlock()
	if t.Init.Status().State.Live() && t.oomDue() {
		t.emit(&events.TaskOOM{ContainerID: t.ID})
	}
}

// oomDue tells whether the last TaskOOM is long enough ago, and makes this moment the last one if it is.
func (t *Task) oomDue() bool {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.oom.IsZero() && now.Sub(t.oom) < oomPause {
		return false
	}
	t.oom = now
	return true
}

// owner is the process with this pid, or else init.
func (t *Task) owner(pid uint32) *Process {
	for _, p := range t.Processes()[1:] {
		if s := p.Status(); s.State.Live() && s.Pid == pid {
			return p
		}
	}
	return t.Init
}

// isEnding tells whether the task has begun to end what runs.
func (t *Task) isEnding() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ending
}
