package stats

import (
	"context"
	"errors"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// sample makes a sample. If the job cannot be opened it fails, beside a sample that has this reason for every metric. The
// caller holds the semaphore, as for all below.
func (c *Collector) sample(started time.Time) (s Sample, err error) {
	s = Sample{Timestamp: c.now()}
	if v, known := c.violations.Violations(); known {
		s.SetViolations(v)
	}
	if l := c.limits.Load(); l != nil {
		s.Limits = *l
		s.setOrigin(MetricLimits, SourceOwner, Exact, nil)
	}
	defer c.setStarted(&s, started)
	job, err := c.open()
	if err != nil {
		for m := MetricMemory; m <= MetricWorkingSet; m++ {
			s.setMissing(m, err)
		}
		c.members.closeAll()
		c.forget()
		return s, err
	}
	defer c.finish(job)
	c.memory(job, &s)
	c.processor(job, &s)
	c.storage(job, &s)
	if c.refresh(job, &s) {
		c.setWorkingSets(&s, c.members.memory())
	}
	if c.queryLimits {
		c.jobLimits(job, &s)
	}
	if started.IsZero() && c.seekStarted {
		c.findStarted()
	}
	return s, nil
}

// listing is the answer of list.
type listing struct {
	processes []Process
	err       error
}

// list lists the members.
func (c *Collector) list() listing {
	job, err := c.open()
	if err != nil {
		return listing{err: err}
	}
	defer c.finish(job)
	if err := c.members.refresh(job, nil, true); err != nil {
		return listing{err: err}
	}
	return listing{processes: c.members.processes()}
}

func (c *Collector) memory(job *jobobject.Job, s *Sample) {
	if c.skip(s, MetricMemory) {
		return
	}
	m, err := job.Memory()
	if err != nil {
		c.setRefused(s, MetricMemory, err)
		return
	}
	s.Memory.Commit, s.Memory.PeakCommit = m.Commit, m.PeakCommit
	s.setOrigin(MetricMemory, SourceJob, Exact, nil)
}

func (c *Collector) processor(job *jobobject.Job, s *Sample) {
	a, err := job.Accounting()
	if err != nil {
		s.setMissing(MetricProcessor, err)
		s.setMissing(MetricProcesses, err)
		return
	}
	if a.Total < c.total { // the count never shrinks: this is another job of the same name
		c.forget()
	}
	c.total = a.Total
	s.Processor = Processor{User: a.UserTime, Kernel: a.KernelTime}
	s.Processes = ProcessCounts{Active: a.Active, Total: a.Total, Terminated: a.Terminated}
	s.Memory.PageFaults = a.PageFaults
	s.setOrigin(MetricProcessor, SourceJob, Exact, nil)
	s.setOrigin(MetricProcesses, SourceJob, Exact, nil)
}

func (c *Collector) storage(job *jobobject.Job, s *Sample) {
	if c.skip(s, MetricStorage) {
		return
	}
	io, err := job.Storage()
	if err != nil {
		c.setRefused(s, MetricStorage, err)
		return
	}
	s.Storage = Storage{Reads: io.ReadCount, ReadBytes: io.ReadBytes, Writes: io.WriteCount, WriteBytes: io.WriteBytes}
	s.setOrigin(MetricStorage, SourceJob, Exact, nil)
}

// forget drops what was learned of a job that is gone.
func (c *Collector) forget() { c.peak, c.started, c.total = 0, time.Time{}, 0 }

// jobLimits takes the limits from the job itself.
func (c *Collector) jobLimits(job *jobobject.Job, s *Sample) {
	l, err := job.QueryLimits(context.Background()) // the caller of the sample does not wait for longer than its context
	if err != nil {
		s.setMissing(MetricLimits, err)
		return
	}
	s.Limits = Limits{
		CommitBytes: l.JobMemory, ActiveProcesses: l.ActiveProcesses, ProcessorRate: l.CPURate, ProcessorWeight: l.CPUWeight,
	}
	s.setOrigin(MetricLimits, SourceJob, Exact, nil)
}

// skip reports whether the kernel does not support a query, so that it is not repeated. The metric is missing then.
func (c *Collector) skip(s *Sample, m Metric) bool {
	err := c.unsupported[m]
	if err != nil {
		s.setMissing(m, err)
	}
	return err != nil
}

// setRefused stores why a query failed.
func (c *Collector) setRefused(s *Sample, m Metric, err error) {
	if errors.Is(err, jobobject.ErrNotSupported) {
		c.unsupported[m] = err
	}
	s.setMissing(m, err)
}

// refresh opens the members that the working sets are summed over. If it fails they are missing.
func (c *Collector) refresh(job *jobobject.Job, s *Sample) bool {
	var now *generation
	if s.Has(MetricProcesses) {
		now = &generation{total: s.Processes.Total, active: s.Processes.Active}
	}
	err := c.members.refresh(job, now, c.job == nil)
	if err != nil {
		s.setMissing(MetricPrivateWorkingSet, err)
		s.setMissing(MetricWorkingSet, err)
	}
	return err == nil
}

// setWorkingSets stores what the job does not count and its members do.
func (c *Collector) setWorkingSets(s *Sample, sum memorySum) {
	s.Processes.Unreadable = sum.unreadable
	if sum.read == 0 && sum.unreadable > 0 {
		// No member could be queried: a zero would be wrong.
		s.setMissing(MetricPrivateWorkingSet, sum.err)
		s.setMissing(MetricWorkingSet, sum.err)
		return
	}
	quality := Exact
	if sum.unreadable > 0 {
		quality = Approximate
	}
	s.Memory.WorkingSet, s.Memory.PrivateWorkingSet = sum.working, sum.private
	s.setOrigin(MetricWorkingSet, SourceProcesses, quality, sum.err)
	if sum.derived {
		quality = Approximate
	}
	s.setOrigin(MetricPrivateWorkingSet, SourceProcesses, quality, sum.err)
	if !s.Has(MetricMemory) {
		c.sumCommit(s, sum.commit)
	}
}

// sumCommit takes the commit of a job that does not count it from its members.
func (c *Collector) sumCommit(s *Sample, sum uint64) {
	c.peak = max(c.peak, sum)
	s.Memory.Commit, s.Memory.PeakCommit = sum, c.peak
	s.setOrigin(MetricMemory, SourceProcesses, Approximate, s.Metrics[MetricMemory].Err)
}

// findStarted takes the creation of the oldest member for the start of a container whose start is unknown. It queries
// until it has found one.
func (c *Collector) findStarted() {
	if !c.started.IsZero() {
		return
	}
	for _, x := range c.members.open {
		t, err := x.Times()
		if err == nil && !t.Created.IsZero() && (c.started.IsZero() || t.Created.Before(c.started)) {
			c.started = t.Created
		}
	}
}

// setStarted stores start and uptime. The caller's start precedes the one that was found.
func (c *Collector) setStarted(s *Sample, started time.Time) {
	switch {
	case !started.IsZero():
		s.Started = started
		s.setOrigin(MetricStarted, SourceOwner, Exact, nil)
	case !c.started.IsZero():
		s.Started = c.started
		s.setOrigin(MetricStarted, SourceProcesses, Approximate, nil)
	default:
		return
	}
	s.Uptime = max(0, c.now().Sub(s.Started))
}
