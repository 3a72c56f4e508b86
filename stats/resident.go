package stats

import (
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// resident sums over the members what the job does not count.
func (c *Collector) resident(job *jobobject.Job, s *Sample) {
	var now *generation
	if s.Has(FigureProcesses) {
		now = &generation{total: s.Processes.Total, active: s.Processes.Active}
	}
	if err := c.members.refresh(job, now); err != nil {
		s.lack(FigurePrivateWorkingSet, err)
		s.lack(FigureWorkingSet, err)
		return
	}
	sum := c.members.memory()
	s.Processes.Unreadable = sum.unreadable
	if sum.read == 0 && sum.unreadable > 0 {
		// All that is there refuses: a zero would be a lie.
		s.lack(FigurePrivateWorkingSet, sum.err)
		s.lack(FigureWorkingSet, sum.err)
		return
	}
	quality := Exact
	if sum.unreadable > 0 {
		quality = Approximate
	}
	s.Memory.WorkingSet, s.Memory.PrivateWorkingSet = sum.working, sum.private
	s.tell(FigureWorkingSet, SourceProcesses, quality, sum.err)
	if sum.derived {
		quality = Approximate
	}
	s.tell(FigurePrivateWorkingSet, SourceProcesses, quality, sum.err)
	if !s.Has(FigureMemory) {
		c.commit(s, sum.commit)
	}
}

// commit stands in for a job that does not count its memory: the members do, each for itself.
func (c *Collector) commit(s *Sample, sum uint64) {
	c.peak = max(c.peak, sum)
	s.Memory.Commit, s.Memory.PeakCommit = sum, c.peak
	s.tell(FigureMemory, SourceProcesses, Approximate, s.Figures[FigureMemory].Err)
}

// discover finds out when a container was started that somebody else started: at the latest when its oldest member
// was. It is asked once.
func (c *Collector) discover() {
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

// age fills in start and uptime. What the caller knows goes before what was found out.
func (c *Collector) age(s *Sample, started time.Time) {
	switch {
	case !started.IsZero():
		s.Started = started
		s.tell(FigureStarted, SourceOwner, Exact, nil)
	case !c.started.IsZero():
		s.Started = c.started
		s.tell(FigureStarted, SourceProcesses, Approximate, nil)
	default:
		return
	}
	s.Uptime = max(0, c.now().Sub(s.Started))
}
