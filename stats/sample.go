package stats

import (
	"math"
	"math/bits"
	"time"
)

// Sample is the statistics of one container at one moment. It is a value: copying it is all it takes to keep it.
type Sample struct {
	// Timestamp is taken before the first query.
	Timestamp time.Time
	// Owner is who made the container, in the spelling that he used.
	Owner string
	// Started is when the container's init started; zero when it has not, or when that is unknown.
	Started time.Time
	// Uptime is how long it has run by the time of the last query; zero with Started.
	Uptime time.Duration

	Processor  Processor
	Memory     Memory
	Storage    Storage
	Processes  Population
	Limits     Limits
	Violations Violations
	// Fallbacks is how often this container's figures had to be had from the Host Compute Service so far.
	Fallbacks uint64

	// Figures tells for each figure where it comes from and what it is worth.
	Figures [figureCount]Provenance
}

// Processor is the time that all processes of the container, living and dead, have spent.
type Processor struct {
	User, Kernel time.Duration
}

// Total is user and kernel time.
func (p Processor) Total() time.Duration {
	if p.User > math.MaxInt64-p.Kernel {
		return math.MaxInt64
	}
	return p.User + p.Kernel
}

// Memory is what the container holds now, in bytes.
type Memory struct {
	// Commit and PeakCommit are charged to the job.
	Commit, PeakCommit uint64
	// PrivateWorkingSet is resident and not shared, summed over the members.
	PrivateWorkingSet uint64
	// WorkingSet is resident, summed over the members; what they share is in it as often as they are.
	WorkingSet uint64
	// PageFaults is how many there were so far. It wraps around at 32 bits.
	PageFaults uint32
}

// Storage is the disk traffic attributed to the container.
type Storage struct {
	Reads, ReadBytes   uint64
	Writes, WriteBytes uint64
}

// Population counts processes.
type Population struct {
	Active     uint32 // members now
	Total      uint32 // members ever
	Terminated uint32 // ended by a limit
	Unreadable uint32 // members now that refused to be asked for their memory; figures summed over members lack them
}

// Limits are the limits in force, zero where there is none.
type Limits struct {
	CommitBytes     uint64 `json:"commit_bytes,omitempty"`
	ActiveProcesses uint32 `json:"active_processes,omitempty"`
	ProcessorRate   uint32 `json:"processor_rate,omitempty"`   // of all processors, in 1/100 of a percent
	ProcessorWeight uint32 `json:"processor_weight,omitempty"` // 1 to 9
}

// Has tells whether the sample has the figure, exact or not.
func (s *Sample) Has(f Figure) bool { return s.Figures[f].Quality != Missing }

// Lacks tells whether any figure is less than exact for a reason that the kernel gave.
func (s *Sample) Lacks() bool {
	for i := range s.Figures {
		if s.Figures[i].Err != nil {
			return true
		}
	}
	return false
}

// tell notes where a figure came from, and why it is no better.
func (s *Sample) tell(f Figure, source Source, quality Quality, err error) {
	s.Figures[f] = Provenance{Source: source, Quality: quality, Err: err}
}

// lack notes that a figure is missing.
func (s *Sample) lack(f Figure, err error) { s.tell(f, SourceNone, Missing, err) }

// plus adds without wrapping around.
func plus(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}
