package stats

import (
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// DefaultIdle is how long process handles stay open without a sample.
const DefaultIdle = time.Minute

// SiloName is the name of the job object behind a Windows Server container.
func SiloName(id string) string { return `\Container_` + id }

// Options of a collector. The zero value serves.
type Options struct {
	// KeepHandles keeps the handles of the members open between samples, which saves three of four calls for each.
	// An open handle keeps the remains of an ended process in the kernel and may delay the end of a silo. So it is
	// off unless asked for, and should stay off for the silos of the Host Compute Service. See [Collector.Release].
	KeepHandles bool
	// Idle is how long handles are kept without a sample; 0 is [DefaultIdle].
	Idle time.Duration
	// Owner is given back in every sample.
	Owner string
	// Limits are the limits in force, as who set them knows them; nil for unknown. See [Collector.SetLimits].
	Limits *Limits
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Kernel is where [NewSiloCollector] opens its job; nil is [jobobject.System].
	Kernel jobobject.Kernel
}

// Collector samples one container. It is safe for concurrent use. [Collector.Release] gives back what it keeps.
type Collector struct {
	// Immutable.
	job    *jobobject.Job // the caller's; nil to open name for each call
	name   string
	kernel jobobject.Kernel
	owner  string
	now    func() time.Time
	idle   time.Duration

	limits     atomic.Pointer[Limits]
	released   atomic.Bool // nothing is to be kept any more
	violations ViolationCounter

	// turn holds a value while a caller asks the kernel, one at a time, and guards the fields below. It is no mutex:
	// a kernel that hangs is waited for, and by the clock of a testing/synctest bubble only channels are.
	turn        chan struct{}
	members     members
	timer       *time.Timer        // closes the handles of an idle collector
	unsupported [metricCount]error // what the kernel does not support, so that it is queried once
	peak        uint64             // of the commit, where the job does not count it
	started     time.Time          // of a container that somebody else started
}

// NewCollector makes a collector for a job that the caller holds open, and closes when the collector is released.
func NewCollector(job *jobobject.Job, o Options) *Collector {
	c := newCollector(o)
	c.job = job
	return c
}

// NewSiloCollector makes a collector for the container with this id that somebody else made, as the Host Compute
// Service does. Each call opens the silo's job and closes it again; a container that is not there is no error here.
func NewSiloCollector(id string, o Options) *Collector {
	c := newCollector(o)
	c.name = SiloName(id)
	return c
}

func newCollector(o Options) *Collector {
	c := &Collector{kernel: o.Kernel, owner: o.Owner, now: o.Now, idle: o.Idle, turn: make(chan struct{}, 1)}
	c.members.keep = o.KeepHandles
	if c.now == nil {
		c.now = time.Now
	}
	if c.idle == 0 {
		c.idle = DefaultIdle
	}
	c.limits.Store(o.Limits)
	return c
}

// SetLimits tells the limits now in force; nil for unknown. The pointer's target must not change any more.
func (c *Collector) SetLimits(l *Limits) { c.limits.Store(l) }

// Observe takes every message of the job, and counts those that say that a limit was reached. Samples lack
// [MetricViolations] before the first message.
func (c *Collector) Observe(kind jobobject.MessageKind) { c.violations.Observe(kind) }

// Violations returns what was counted, and false before the first message.
func (c *Collector) Violations() (Violations, bool) { return c.violations.Violations() }

// Release closes all handles that are kept, and keeps none from now on; samples can still be taken. Whoever ends the
// container calls it first, so that nothing of ours holds the remains of its processes. It does not wait for a sample
// that the kernel takes long over: that one closes them in the end. It may be called again.
func (c *Collector) Release() {
	c.released.Store(true)
	c.letGo()
}

// endTurn ends a caller's turn. A Release that came meanwhile is made good.
func (c *Collector) endTurn() {
	<-c.turn
	if c.released.Load() {
		c.letGo()
	}
}

// letGo closes what is kept, unless somebody has the turn, who will call it.
func (c *Collector) letGo() {
	select {
	case c.turn <- struct{}{}:
	default:
		return
	}
	defer func() { <-c.turn }()
	c.members.keep = false
	c.members.closeAll()
	if c.timer != nil {
		c.timer.Stop()
	}
}

// settle comes at the end of a turn that had the members open.
func (c *Collector) settle() {
	c.members.settle()
	if len(c.members.open) == 0 {
		return
	}
	if c.timer == nil {
		c.timer = time.AfterFunc(c.idle, c.lapse)
		return
	}
	c.timer.Reset(c.idle)
}

// lapse closes what nobody has asked about for long; the next sample opens it again.
func (c *Collector) lapse() {
	c.turn <- struct{}{}
	defer c.endTurn()
	c.members.closeAll()
}

// enter opens the job for one turn. leave closes it if it was opened here.
func (c *Collector) enter() (*jobobject.Job, error) {
	if c.job != nil {
		return c.job, nil
	}
	return jobobject.Open(c.name, jobobject.AccessQuery, c.kernel)
}

func (c *Collector) leave(job *jobobject.Job) {
	if c.job == nil {
		_ = job.Close() // opened for questions only; nothing depends on it
	}
}

// Sample asks for every figure. started is when the container's init started, or zero for "unknown": the collector
// of a silo then takes the creation of its oldest member, once. It never fails: what it could not have is named in
// [Sample].Metrics.
func (c *Collector) Sample(started time.Time) Sample {
	c.turn <- struct{}{}
	defer c.endTurn()
	s := Sample{Timestamp: c.now(), Owner: c.owner}
	c.setKnown(&s)
	job, err := c.enter()
	if err != nil {
		for f := MetricMemory; f <= MetricWorkingSet; f++ {
			s.setMissing(f, err)
		}
		c.members.closeAll()
	} else {
		c.query(job, &s)
		if started.IsZero() && c.job == nil {
			c.findStarted()
		}
		c.settle()
		c.leave(job)
	}
	c.setStarted(&s, started)
	return s
}
