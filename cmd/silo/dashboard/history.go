package dashboard

import (
	"math"
	"time"

	"github.com/siloshim/siloshim/stats"
)

const (
	// Window is the time that the plots show.
	Window = 5 * time.Minute
	// maxTracked bounds the containers that are shown.
	maxTracked = 512
	// pointsKept covers the window at the shortest interval.
	pointsKept = int(Window/Interval) + 1
	// eventsKept is the number of events that are kept for each container, and nodeEvents that for the machine.
	eventsKept, nodeEvents = 40, 60
)

// point has the values of one sample; NaN where there is none.
type point struct {
	at                                  time.Time
	cores, private, commit, read, write float64
}

var noPoint = point{cores: math.NaN(), private: math.NaN(), commit: math.NaN(), read: math.NaN(), write: math.NaN()}

// plus adds what is known of another point.
func (p point) plus(o point) point {
	sum := func(a, b float64) float64 {
		switch {
		case math.IsNaN(a):
			return b
		case math.IsNaN(b):
			return a
		}
		return a + b
	}
	return point{p.at, sum(p.cores, o.cores), sum(p.private, o.private), sum(p.commit, o.commit), sum(p.read, o.read), sum(p.write, o.write)}
}

// io is what is read and written.
func (p point) io() float64 { return p.read + p.write }

// processKey is one process; a pid alone may be used again.
type processKey struct {
	pid     uint32
	created time.Time
}

// history is what is kept of one container.
type history struct {
	Container           // the latest look
	row       string    // the id of its row in the page
	gone      time.Time // when it was missing in a look; zero while it exists
	now       point
	points    ring[point]
	events    ring[*event]
	loads     map[processKey]float64 // processors that each process uses
}

func newHistory(c *Container) *history {
	return &history{Container: *c, row: rowID(c.Name()), now: noPoint, points: newRing[point](pointsKept), events: newRing[*event](eventsKept)}
}

// update takes up the next look at the container.
func (h *history) update(c *Container, at time.Time) {
	switch {
	case c.Exit == nil && c.Err == nil:
		h.now = measured(&h.Sample, &c.Sample)
		h.now.at = c.Sample.Timestamp
		h.points.add(h.now)
	case c.Exit == nil || h.Exit == nil:
		h.interrupt(at)
	}
	h.loads = loads(h.Processes, c.Processes, c.Sample.Timestamp.Sub(h.Sample.Timestamp))
	if c.Pod == "" { // its job exists for a moment longer than its pod is published
		c.Pod, c.PodUID, c.PodContainer = h.Pod, h.PodUID, h.PodContainer
	}
	h.Container, h.gone = *c, time.Time{}
}

// interrupt ends the curves.
func (h *history) interrupt(at time.Time) {
	h.now = noPoint
	h.now.at = at
	h.points.add(h.now)
}

// measured is the point between two samples.
func measured(was, is *stats.Sample) point {
	p := noPoint
	if is.Has(stats.MetricPrivateWorkingSet) {
		p.private = float64(is.Memory.PrivateWorkingSet)
	}
	if is.Has(stats.MetricMemory) {
		p.commit = float64(is.Memory.Commit)
	}
	span := is.Timestamp.Sub(was.Timestamp)
	if was.Timestamp.IsZero() || span <= 0 {
		return p
	}
	if was.Has(stats.MetricProcessor) && is.Has(stats.MetricProcessor) {
		// A container that was made again counts from zero.
		p.cores = max(0, float64(is.Processor.Total()-was.Processor.Total())) / float64(span)
	}
	if was.Has(stats.MetricStorage) && is.Has(stats.MetricStorage) {
		p.read = perSecond(was.Storage.ReadBytes, is.Storage.ReadBytes, span)
		p.write = perSecond(was.Storage.WriteBytes, is.Storage.WriteBytes, span)
	}
	return p
}

func perSecond(was, is uint64, span time.Duration) float64 {
	return float64(is-min(was, is)) / span.Seconds()
}

// loads are the processors that each process has used since the look before.
func loads(was, is []stats.Process, span time.Duration) map[processKey]float64 {
	if span <= 0 {
		return nil
	}
	before := make(map[processKey]time.Duration, len(was))
	for _, p := range was {
		before[processKey{p.Pid, p.Created}] = p.User + p.Kernel
	}
	list := make(map[processKey]float64, len(is))
	for _, p := range is {
		key := processKey{p.Pid, p.Created}
		if at, ok := before[key]; ok && p.Has(stats.KnownTimes) {
			list[key] = float64(p.User+p.Kernel-at) / float64(span)
		}
	}
	return list
}

// limits are those that the plots show as lines; NaN where there is none.
type limits struct{ cores, commit float64 }

func (h *history) limits(processors int) limits {
	l := limits{math.NaN(), math.NaN()}
	if !h.Sample.Has(stats.MetricLimits) {
		return l
	}
	if rate := h.Sample.Limits.ProcessorRate; rate != 0 && processors > 0 {
		l.cores = float64(rate) / 1e4 * float64(processors)
	}
	if n := h.Sample.Limits.CommitBytes; n != 0 {
		l.commit = float64(n)
	}
	return l
}
