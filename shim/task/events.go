package task

import (
	"time"

	"github.com/containerd/containerd/api/events"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/container"
)

// emitStarted emits the start of p.
func (t *Task) emitStarted(p *Process) func(Status) {
	return func(s Status) {
		if p.ID == "" {
			t.emit(&events.TaskStart{ContainerID: t.ID, Pid: s.Pid})
			return
		}
		t.emit(&events.TaskExecStarted{ContainerID: t.ID, ExecID: p.ID, Pid: s.Pid})
	}
}

// emitExit emits the exit of p. In containerd the id of init is the container's.
func (t *Task) emitExit(p *Process) func(Status) {
	id := p.ID
	if id == "" {
		id = t.ID
	}
	return func(s Status) {
		t.emit(&events.TaskExit{
			ContainerID: t.ID, ID: id, Pid: s.Pid, ExitStatus: s.Exit, ExitedAt: Timestamp(s.ExitedAt),
		})
	}
}

// Timestamp is nil for the zero time.
func Timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// oomInterval is the shortest time between two TaskOOM events: a program may request refused memory again and again.
const oomInterval = time.Second

// limitReasons are the reasons for the exit of a process that has reached a limit.
var limitReasons = map[container.Limit]Reason{container.MemoryLimit: ReasonOutOfMemory, container.OtherLimit: ReasonLimit}

// Notice records that a process has reached a limit, which becomes the reason of its exit if that has an error. A notice
// of an unknown process counts for init. Refused memory is a TaskOOM event, at most once a second, between the start and
// the exit of init.
func (t *Task) Notice(n container.Notice) {
	if n.Limit == container.NoLimit {
		return
	}
	<-t.Init.started // the process was launched; the event of that may not be emitted yet
	p := t.processByPid(n.Pid)
	p.mu.Lock()
	p.exit.limit = limitReasons[n.Limit]
	p.mu.Unlock()
	if n.Limit != container.MemoryLimit {
		return
	}
	t.eventMu.Lock()
	defer t.eventMu.Unlock()
	if t.Init.Status().State.Live() && t.oomDue() {
		t.emit(&events.TaskOOM{ContainerID: t.ID})
	}
}

// oomDue reports whether a TaskOOM may be emitted now, and if so records that it is.
func (t *Task) oomDue() bool {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.lastOOM.IsZero() && now.Sub(t.lastOOM) < oomInterval {
		return false
	}
	t.lastOOM = now
	return true
}

// processByPid returns the exec with this pid, or init.
func (t *Task) processByPid(pid uint32) *Process {
	for _, p := range t.Processes()[1:] {
		if s := p.Status(); s.State.Live() && s.Pid == pid {
			return p
		}
	}
	return t.Init
}
