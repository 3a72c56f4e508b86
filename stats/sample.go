package stats

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// Sample holds the statistics of one container at one moment. It is a value and holds no reference: a copy can be kept.
type Sample struct {
	// Timestamp is taken before the first query. No value that was queried is older.
	Timestamp time.Time
	// Owner names the program that made the container, in that program's spelling.
	Owner string
	// Started is when the container's init process started; zero before the start, or if that is unknown.
	Started time.Time
	// Uptime is the time from Started to the end of the last query; zero if Started is.
	Uptime time.Duration

	Processor  Processor
	Memory     Memory
	Storage    Storage
	Processes  ProcessCounts
	Limits     Limits
	Violations Violations
	// Fallbacks counts the queries to the Host Compute Service for what the kernel did not answer, since the [System]
	// was made.
	Fallbacks uint64

	// Metrics has the origin and the quality of each metric, by its number.
	Metrics [metricCount]Provenance
}

// Processor is the processor time of all processes of the container, those that have exited included.
type Processor struct {
	User, Kernel time.Duration
}

// Total is the sum of user and kernel time. It does not overflow.
func (p Processor) Total() time.Duration { return addTimes(p.User, p.Kernel) }

// Memory is the memory that the container uses now, in bytes.
type Memory struct {
	// Commit and PeakCommit are charged to the job.
	Commit, PeakCommit uint64
	// PrivateWorkingSet is resident and not shared, summed over the members.
	PrivateWorkingSet uint64
	// WorkingSet is resident, summed over the members. A shared page counts once for each member.
	WorkingSet uint64
	// PageFaults counts page faults since the start. It wraps around at 32 bits.
	PageFaults uint32
}

// Storage is the disk traffic that the kernel attributes to the container, in operations and bytes.
type Storage struct {
	Reads, ReadBytes   uint64
	Writes, WriteBytes uint64
}

// ProcessCounts counts the processes of a container.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_accounting_information
type ProcessCounts struct {
	Active     uint32 // members now
	Total      uint32 // members since the job was created
	Terminated uint32 // members that a limit has terminated
	Unreadable uint32 // members now whose memory could not be queried; sums over the members lack them
}

// Limits are the limits in force. Zero means no limit.
type Limits struct {
	CommitBytes     uint64 `json:"commit_bytes,omitempty"`
	ActiveProcesses uint32 `json:"active_processes,omitempty"`
	ProcessorRate   uint32 `json:"processor_rate,omitempty"`   // of all processors, in 1/100 of a percent
	ProcessorWeight uint32 `json:"processor_weight,omitempty"` // 1 to 9
}

// Has reports whether the sample has a value of the metric, exact or not.
func (s *Sample) Has(m Metric) bool { return s.Metrics[m].Quality != Missing }

// Incomplete reports whether the kernel gave a reason why one of the metrics is not exact.
func (s *Sample) Incomplete() bool {
	for i := range s.Metrics {
		if s.Metrics[i].Err != nil {
			return true
		}
	}
	return false
}

// setOrigin notes where a metric comes from, and why it is not exact.
func (s *Sample) setOrigin(m Metric, source Source, quality Quality, err error) {
	s.Metrics[m] = Provenance{Source: source, Quality: quality, Err: err}
}

// setMissing notes that there is no value of a metric.
func (s *Sample) setMissing(m Metric, err error) { s.setOrigin(m, SourceNone, Missing, err) }

// Idle is the sample of a container that runs no process: every count of use is zero and exact. started is when the
// container started, or zero.
func Idle(now, started time.Time) Sample {
	s := Sample{Timestamp: now}
	for _, m := range summed {
		s.setOrigin(m, SourceOwner, Exact, nil)
	}
	if !started.IsZero() {
		s.Started, s.Uptime = started, max(0, now.Sub(started))
		s.setOrigin(MetricStarted, SourceOwner, Exact, nil)
	}
	return s
}

// summed are the metrics that [Sample.Add] adds.
var summed = [...]Metric{
	MetricMemory, MetricProcessor, MetricProcesses, MetricStorage, MetricPrivateWorkingSet, MetricWorkingSet,
}

// Add adds the use of another container, as for a pod; [Idle] is a sum of none. A metric that one of both is missing
// makes the sum approximate: the use is at least that. The peaks of two containers may come at different times, so the
// use has stayed below their sum. Times, owner, limits and violations stay those of s.
func (s *Sample) Add(o *Sample) {
	s.Processor.User = addTimes(s.Processor.User, o.Processor.User)
	s.Processor.Kernel = addTimes(s.Processor.Kernel, o.Processor.Kernel)
	for _, sum := range []struct {
		to   *uint64
		more uint64
	}{
		{&s.Memory.Commit, o.Memory.Commit}, {&s.Memory.PeakCommit, o.Memory.PeakCommit},
		{&s.Memory.PrivateWorkingSet, o.Memory.PrivateWorkingSet}, {&s.Memory.WorkingSet, o.Memory.WorkingSet},
		{&s.Storage.Reads, o.Storage.Reads}, {&s.Storage.ReadBytes, o.Storage.ReadBytes},
		{&s.Storage.Writes, o.Storage.Writes}, {&s.Storage.WriteBytes, o.Storage.WriteBytes},
		{&s.Fallbacks, o.Fallbacks},
	} {
		*sum.to = addCounts(*sum.to, sum.more)
	}
	s.Memory.PageFaults += o.Memory.PageFaults
	s.Processes.Active += o.Processes.Active
	s.Processes.Total += o.Processes.Total
	s.Processes.Terminated += o.Processes.Terminated
	s.Processes.Unreadable += o.Processes.Unreadable
	for _, m := range summed {
		s.Metrics[m] = s.Metrics[m].plus(o.Metrics[m])
	}
}

// plus is the origin of a sum.
func (p Provenance) plus(o Provenance) Provenance {
	sum := Provenance{Source: o.Source, Quality: Approximate, Err: p.Err}
	switch {
	case p.Quality == Missing && o.Quality == Missing:
		sum.Quality = Missing
	case p.Quality == Exact && o.Quality == Exact:
		sum.Quality = Exact
	}
	if sum.Source == SourceNone {
		sum.Source = p.Source
	}
	if sum.Err == nil {
		sum.Err = o.Err
	}
	return sum
}

// addCounts adds without wrapping around.
func addCounts(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// addTimes adds times, which are not negative, without wrapping around.
func addTimes(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Violations counts the kernel's messages about limits that were reached. The kernel does not guarantee delivery, and
// only the creator of a job receives them.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_associate_completion_port
type Violations struct {
	Memory    uint64 `json:"memory"`
	Processes uint64 `json:"processes"`
	Time      uint64 `json:"time"`
	Other     uint64 `json:"other"`
}

// Total is the sum of all kinds.
func (v Violations) Total() uint64 { return v.Memory + v.Processes + v.Time + v.Other }

// ViolationCounter counts the violations of one job for the reader of [jobobject.Job.Messages]. The zero value is ready
// to use. It is safe for concurrent use.
type ViolationCounter struct {
	heard                          atomic.Bool
	memory, processes, time, other atomic.Uint64
}

// Observe counts a message of the job; every kind must be passed. It reports whether Violations now returns another
// value.
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
	default: // it is not about a limit
		counted = false
	}
	return !c.heard.Swap(true) || counted
}

// Violations returns the counts. known is false before the first message: a job whose messages nothing reads has an
// unknown number of violations, not zero.
func (c *ViolationCounter) Violations() (v Violations, known bool) {
	return Violations{
		Memory: c.memory.Load(), Processes: c.processes.Load(), Time: c.time.Load(), Other: c.other.Load(),
	}, c.heard.Load()
}

// SetViolations stores counts that another process made, which reads the messages of the job.
func (s *Sample) SetViolations(v Violations) {
	s.Violations = v
	s.setOrigin(MetricViolations, SourceJob, Approximate, nil)
}
