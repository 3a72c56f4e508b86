package hostprocess

import (
	"slices"
	"sync"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/jobobject"
)

// noticeTimeout is how long the exit of a process waits for the job's messages about it. They are sent at once, but by
// another way, and may be lost.
const noticeTimeout = 100 * time.Millisecond

// notices records the last exits that the messages of a job reported.
type notices struct {
	mu      sync.Mutex // guards the fields below
	watched bool
	exits   [64]uint32 // pids of the last processes that exited, as a ring
	next    int
	change  chan struct{} // closed by the next exit; nil if no call waits
}

// limits are the messages about limits that can end a process. A message about the whole job has the pid 0.
var limits = map[jobobject.MessageKind]container.Limit{
	jobobject.JobMemoryLimit:     container.MemoryLimit,
	jobobject.ProcessMemoryLimit: container.MemoryLimit,
	jobobject.EndOfJobTime:       container.OtherLimit,
	jobobject.EndOfProcessTime:   container.OtherLimit,
	jobobject.ActiveProcessLimit: container.OtherLimit,
}

// Watch implements [container.Container].
func (j *Container) Watch(report func(container.Notice)) {
	j.notices.mu.Lock()
	j.notices.watched = true
	j.notices.mu.Unlock()
	messages := j.job.Messages()
	go func() { // ends when the job is closed
		for m := range messages {
			j.handle(m, report)
		}
	}()
}

func (j *Container) handle(m jobobject.Message, report func(container.Notice)) {
	j.collector.Observe(m.Kind)
	report(container.Notice{Kind: m.Kind, Limit: limits[m.Kind], Pid: m.Pid})
	switch m.Kind {
	case jobobject.NewProcess:
		if err := j.pauser.suspendNew(); err != nil {
			log.L.WithField(logfield.ContainerID, j.id).WithError(err).Warn("suspend a new process of a paused container")
		}
	case jobobject.ExitProcess, jobobject.AbnormalExit:
		j.notices.exit(m.Pid)
	}
}

// violations returns how often each kind of limit was reached. It is nil before the first message of the job.
func (j *Container) violations() map[string]uint64 {
	v, known := j.collector.Violations()
	if !known {
		return nil
	}
	return map[string]uint64{"memory": v.Memory, "processes": v.Processes, "time": v.Time, "other": v.Other}
}

func (n *notices) exit(pid uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.exits[n.next] = pid
	n.next = (n.next + 1) % len(n.exits)
	if n.change != nil {
		close(n.change)
		n.change = nil
	}
}

// seen reports whether the exit of pid was reported. If not, the channel is closed by the next exit.
func (n *notices) seen(pid uint32) (bool, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.watched || slices.Contains(n.exits[:], pid) {
		return true, nil
	}
	if n.change == nil {
		n.change = make(chan struct{})
	}
	return false, n.change
}

// awaitNotices waits until the messages about an exited process were handled. Its exit is the last of them. Without a
// memory limit there is none to wait for.
func (j *Container) awaitNotices(pid uint32) {
	limits := j.job.Limits()
	if limits.JobMemory == 0 && limits.ProcessMemory == 0 {
		return
	}
	timeout := time.NewTimer(noticeTimeout)
	defer timeout.Stop()
	for {
		seen, change := j.notices.seen(pid)
		if seen {
			return
		}
		select {
		case <-change:
		case <-timeout.C:
			return
		}
	}
}
