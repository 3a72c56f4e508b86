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

// lateNotice is how long the end of a program waits for the kernel's messages about it, which come by another way and
// may be lost. They are due at once.
const lateNotice = 100 * time.Millisecond

// notices are the messages of a job as far as they were read.
type notices struct {
	mu     sync.Mutex // guards the fields below
	told   bool       // somebody listens
	exits  [64]uint32 // pids of the processes that ended last, as a ring
	next   int
	change chan struct{} // closed by the next exit; nil until somebody waits
}

// limits are the messages that say why a process may end. Of those about the whole job the pid is 0.
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
	j.notices.told = true
	j.notices.mu.Unlock()
	messages := j.job.Messages()
	go func() { // ends when the job is closed
		for m := range messages {
			j.hear(m, report)
		}
	}()
}

func (j *Container) hear(m jobobject.Message, report func(container.Notice)) {
	j.collector.Observe(m.Kind)
	report(container.Notice{Kind: m.Kind, Limit: limits[m.Kind], Pid: m.Pid})
	switch m.Kind {
	case jobobject.NewProcess:
		if err := j.hold.catch(); err != nil {
			log.L.WithField(logfield.ContainerID, j.id).WithError(err).Warn("stop a new process of a paused container")
		}
	case jobobject.ExitProcess, jobobject.AbnormalExit:
		j.notices.exit(m.Pid)
	}
}

// violations is how often each kind of limit was reached, by the names that a person reads in the status of a pod. It is
// nil before the first message of the job, when that is unknown.
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

// seen tells whether the exit of pid was read. If not, the channel is closed by the next exit.
func (n *notices) seen(pid uint32) (bool, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.told || slices.Contains(n.exits[:], pid) {
		return true, nil
	}
	if n.change == nil {
		n.change = make(chan struct{})
	}
	return false, n.change
}

// awaitNotices returns once what the kernel has to say about an ended process was heard: its exit is the last of it. Without a
// limit there is nothing to hear.
func (j *Container) awaitNotices(pid uint32) {
	limits := j.job.Limits()
	if limits.JobMemory == 0 && limits.ProcessMemory == 0 {
		return
	}
	late := time.NewTimer(lateNotice)
	defer late.Stop()
	for {
		seen, change := j.notices.seen(pid)
		if seen {
			return
		}
		select {
		case <-change:
		case <-late.C:
			return
		}
	}
}
