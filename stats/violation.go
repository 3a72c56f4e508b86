package stats

import (
	"sync/atomic"

	"github.com/siloshim/siloshim/jobobject"
)

// Violations counts the messages of the kernel about limits that were reached. The kernel does not promise to send
// them, and only the creator of a job gets them.
type Violations struct {
	Memory    uint64 `json:"memory"`
	Processes uint64 `json:"processes"`
	Time      uint64 `json:"time"`
	Other     uint64 `json:"other"`
}

// Total is the number of all violations.
func (v Violations) Total() uint64 { return v.Memory + v.Processes + v.Time + v.Other }

// ViolationCounter counts the violations of one job for whoever reads [jobobject.Job.Messages]. The zero value has
// counted nothing. It is safe for concurrent use.
type ViolationCounter struct {
	heard                          atomic.Bool
	memory, processes, time, other atomic.Uint64
}

// Observe takes a message of the job, of any kind. It reports whether that changed what Violations returns.
func (c *ViolationCounter) Observe(kind jobobject.MessageKind) bool {
	counted := true
	switch kind {
	case jobobject.ProcessMemoryLimit, jobobject.JobMemoryLimit:
		c.memory.Add(1)
	case jobobject.ActiveProcessLimit:
		c.processes.Add(1)
	case jobobject.EndOfJobTime, jobobject.EndOfProcessTime, jobobject.JobCycleTimeLimit:
		c.time.Add(1)
	case jobobject.NotificationLimit:
		c.other.Add(1)
	default: // births, deaths and the like
		counted = false
	}
	return !c.heard.Swap(true) || counted
}

// Violations returns what was counted. Before the first message that is unknown, and known is false: it takes a message
// to show that the job is listened to.
func (c *ViolationCounter) Violations() (v Violations, known bool) {
	return Violations{
		Memory: c.memory.Load(), Processes: c.processes.Load(), Time: c.time.Load(), Other: c.other.Load(),
	}, c.heard.Load()
}

// SetViolations puts the count of another process, which listens to the job, into the sample.
func (s *Sample) SetViolations(v Violations) {
	s.Violations = v
	s.tell(FigureViolations, SourceJob, Approximate, nil)
}
