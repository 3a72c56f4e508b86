package task

import (
	"time"

	"github.com/siloshim/siloshim/container"
)

// Reason says why a process has ended.
type Reason uint8

// The reasons. ReasonNone is that of a process that has not ended, or whose launch failed.
const (
	ReasonNone        Reason = iota
	ReasonExited             // by itself
	ReasonKilled             // by container.SIGKILL, or by the task when init had ended
	ReasonOutOfMemory        // with an error, after the kernel had refused it memory for the container's limit
	ReasonLimit              // by the kernel, for another limit
	ReasonLost               // unknown: the kernel did not tell
)

func (r Reason) String() string {
	return [...]string{"none", "exited", "killed", "out of memory", "limit", "lost"}[r]
}

// end is what a process knows about its end before it is announced. The process's mutex guards it.
type end struct {
	over     bool        // the program has ended; its output may be underway
	killed   bool        // SIGKILL was sent
	asked    *uint32     // the signal that asked it to end; nil is none
	due      time.Time   // when the grace of that is over; zero is never
	limit    Reason      // what the kernel held the process to: ReasonOutOfMemory, ReasonLimit or ReasonNone
	deadline *time.Timer // ends a process that takes too long to stop; nil until it is asked to
}

// over marks the end of the program, which nobody needs to bring about any more, and says why it came.
func (p *Process) over(status uint32, lost error) Reason {
	ending := p.task.isEnding()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end.over = true
	if p.end.deadline != nil {
		p.end.deadline.Stop() // if it is underway, it meets a program that has ended
	}
	switch {
	case lost != nil:
		return ReasonLost
	case status == container.Killed && (p.end.killed || ending):
		return ReasonKilled
	case status != 0 && p.end.limit != ReasonNone:
		return p.end.limit
	}
	return ReasonExited
}
