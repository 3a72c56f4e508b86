package stats

import (
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// Job is the part of [jobobject.Job] that a collector asks.
type Job interface {
	Memory() (jobobject.MemoryUsage, error)
	Accounting() (jobobject.Accounting, error)
	Storage() (jobobject.IOAttribution, error)
	PrivateWorkingSet() (uint64, error)
}

// Collector samples one container. It is safe for concurrent use and owns nothing: closing the job is the caller's.
type Collector struct {
	job Job
	now func() time.Time
}

// NewCollector makes a collector for a job. A nil clock is [time.Now].
func NewCollector(job Job, now func() time.Time) *Collector {
	if now == nil {
		now = time.Now
	}
	return &Collector{job: job, now: now}
}

// Sample asks for every figure. started is when the container's init started, or zero. It never fails: see
// [Sample.Missing].
func (c *Collector) Sample(started time.Time) Sample {
	s := Sample{Timestamp: c.now(), Started: started}
	c.memory(&s)
	c.processor(&s)
	c.storage(&s)
	c.privateWorkingSet(&s)
	if !started.IsZero() {
		s.Uptime = max(0, c.now().Sub(started))
	}
	return s
}

func (c *Collector) memory(s *Sample) {
	m, err := c.job.Memory()
	if err != nil {
		s.miss(FigureMemory, err)
		return
	}
	s.Memory = &Memory{Commit: m.Commit, PeakCommit: m.PeakCommit}
}

func (c *Collector) processor(s *Sample) {
	a, err := c.job.Accounting()
	if err != nil {
		s.miss(FigureProcessor, err)
		return
	}
	s.Processor = &Processor{User: a.UserTime, Kernel: a.KernelTime}
}

func (c *Collector) storage(s *Sample) {
	io, err := c.job.Storage()
	if err != nil {
		s.miss(FigureStorage, err)
		return
	}
	s.Storage = &Storage{Reads: io.ReadCount, ReadBytes: io.ReadBytes, Writes: io.WriteCount, WriteBytes: io.WriteBytes}
}

func (c *Collector) privateWorkingSet(s *Sample) {
	bytes, err := c.job.PrivateWorkingSet()
	if err != nil {
		s.miss(FigurePrivateWorkingSet, err)
		return
	}
	if s.Memory == nil {
		s.Memory = &Memory{}
	}
	s.Memory.PrivateWorkingSet = bytes
}

func (s *Sample) miss(f Figure, err error) {
	s.Missing = append(s.Missing, Missing{Figure: f, Err: err})
}
