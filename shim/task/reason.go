package task

import (
	"time"

	"github.com/siloshim/siloshim/container"
)

// Reason is why a process has ended.
type Reason uint8

// The reasons. ReasonNone is that of a process that has not ended, or whose launch failed.
const (
	ReasonNone        Reason = iota
	ReasonExited             // by itself
	ReasonKilled             // by container.SIGKILL, or by the task after the end of init
	ReasonOutOfMemory        // with an error, after the kernel had refused it memory for the container's limit
	ReasonLimit              // by the kernel, for another limit
	ReasonLost               // unknown: the wait for the process has failed
)

func (r Reason) String() string {
	return [...]string{"none", "exited", "killed", "out of memory", "limit", "lost"}[r]
}

// exit is what decides the reason of an exit. The process's mutex guards it.
type exit struct {
	ended     bool        // the program has ended; its output may be undelivered
	killed    bool        // SIGKILL was sent
	signal    *uint32     // the last other signal that was sent; nil is none
	graceEnds time.Time   // when SIGKILL follows that signal; zero is never
	graceKill *time.Timer // sends that SIGKILL; nil is none
	limit     Reason      // a limit that the process has reached: ReasonOutOfMemory, ReasonLimit or ReasonNone
}

// markEnded records the end of the program, which gets no signals any more, and returns the reason. lost is the error of
// the wait for it.
func (p *Process) markEnded(status uint32, lost error) Reason {
	ending := p.task.isEnding()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exit.ended = true
	if p.exit.graceKill != nil {
		p.exit.graceKill.Stop() // it has no effect if it has begun
	}
	switch {
	case lost != nil:
		return ReasonLost
	case status == container.Killed && (p.exit.killed || ending):
		return ReasonKilled
	case status != 0 && p.exit.limit != ReasonNone:
		return p.exit.limit
	}
	return ReasonExited
}
