package stats

import "time"

// Sample is the statistics of one container at one moment.
type Sample struct {
	// Timestamp is taken before the first query.
	Timestamp time.Time
	// Started is when the container's init started; zero when it has not, or when that is unknown.
	Started time.Time
	// Uptime is how long it has run by the time of the last query; zero with Started.
	Uptime time.Duration
	// Processor, Memory and Storage are nil when the kernel gave none of their figures.
	Processor *Processor
	Memory    *Memory
	Storage   *Storage
	// Missing names the figures that the kernel refused, in the order they were asked for.
	Missing []Missing
}

// Processor is the time that all processes of the container, living and dead, have spent.
type Processor struct {
	User, Kernel time.Duration
}

// Total is user and kernel time.
func (p Processor) Total() time.Duration { return p.User + p.Kernel }

// Memory is what the container holds now, in bytes.
type Memory struct {
	// Commit and PeakCommit are charged to the job.
	Commit, PeakCommit uint64
	// PrivateWorkingSet is resident and not shared, summed over the members.
	PrivateWorkingSet uint64
}

// Storage is the disk traffic attributed to the container.
type Storage struct {
	Reads, ReadBytes   uint64
	Writes, WriteBytes uint64
}

// Figure is one thing that a collector asks the kernel for.
type Figure string

// The figures.
const (
	FigureMemory            Figure = "memory"
	FigureProcessor         Figure = "processor"
	FigureStorage           Figure = "storage"
	FigurePrivateWorkingSet Figure = "private_working_set"
)

// Missing is a figure that the kernel refused, with its reason.
type Missing struct {
	Figure Figure
	Err    error
}
