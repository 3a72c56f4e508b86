package task

import (
	"time"

	"github.com/containerd/containerd/api/events"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// emitStarted announces the start of p.
func (t *Task) emitStarted(p *Process) func(Status) {
	return func(s Status) {
		if p.ID == "" {
			t.emit(&events.TaskStart{ContainerID: t.ID, Pid: s.Pid})
			return
		}
		t.emit(&events.TaskExecStarted{ContainerID: t.ID, ExecID: p.ID, Pid: s.Pid})
	}
}

// emitExit announces the exit of p. Containerd knows init by an id that equals the container's.
func (t *Task) emitExit(p *Process) func(Status) {
	id := p.ID
	if id == "" {
		id = t.ID
	}
	return func(s Status) {
		t.emit(&events.TaskExit{
			ContainerID: t.ID, ID: id, Pid: s.Pid, ExitStatus: s.Exit, ExitedAt: stamp(s.ExitedAt),
		})
	}
}

// stamp is nil for a moment that never came.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
