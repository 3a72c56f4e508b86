package task

import (
	"time"

	"github.com/containerd/containerd/api/events"

	"github.com/siloshim/siloshim/container"
)

// oomPause is the shortest time between two TaskOOM events: a program that goes on asking is refused again and again.
const oomPause = time.Second

// reasons are the reasons for the end of a process that has met a limit.
var reasons = map[container.Limit]Reason{container.MemoryLimit: ReasonOutOfMemory, container.OtherLimit: ReasonLimit}

// Notice takes note of a limit that was met: it becomes the reason of the process's end, should that come with an
// error, and init's where init did not start the process itself. Refused memory is announced as TaskOOM, at most once a
// second, between init's start and its exit.
func (t *Task) Notice(n container.Notice) {
	if n.Limit == container.NoLimit {
		return
	}
	<-t.Init.started // whatever meets a limit was launched, but that may not have been announced yet
	p := t.owner(n.Pid)
	p.mu.Lock()
	p.end.limit = reasons[n.Limit]
	p.mu.Unlock()
	if n.Limit != container.MemoryLimit {
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
