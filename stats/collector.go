package stats

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// DefaultIdle is how long process handles stay open without a call.
const DefaultIdle = time.Minute

// SiloName is the name of the job object of a Windows Server container.
func SiloName(id string) string { return `\Container_` + id }

// Options configure [NewCollector]. The zero value is valid.
type Options struct {
	// KeepHandles keeps the handles of the members open between calls, which saves three of four kernel calls for each
	// member of a sample. An open handle keeps the kernel's object of an exited process and may delay the end of a silo,
	// so leave it off for silos of the Host Compute Service. See [Collector.Release].
	KeepHandles bool
	// Idle is how long handles are kept without a call; 0 is [DefaultIdle].
	Idle time.Duration
	// CountHandles has [Collector.Processes] query how many handles each process has open: one more call for each.
	CountHandles bool
	// Limits are the limits in force, if the caller set them; nil if they are unknown. See [Collector.SetLimits].
	Limits *Limits
	// BusyAfter is how long a call may take before calls behind it fail with [ErrBusy]; 0 lets them wait until their
	// context ends.
	BusyAfter time.Duration
	// Now is the clock of timestamps; nil is [time.Now].
	Now func() time.Time
}

// NamedOptions configure [NewNamedCollector] and [NewSiloCollector]. The zero value is valid.
type NamedOptions struct {
	// Kernel has the job; nil is [jobobject.System].
	Kernel jobobject.Kernel
	// KeepHandles, Idle, CountHandles, BusyAfter and Now are as in [Options]. The job itself is never kept open, so the members are
	// listed for each sample: 6 + N kernel calls for N members whose handles are kept.
	KeepHandles  bool
	Idle         time.Duration
	CountHandles bool
	BusyAfter    time.Duration
	Now          func() time.Time
	// QueryLimits has each sample query the limits in force.
	QueryLimits bool
}

// Collector samples one container. It queries the kernel for one call at a time. It is safe for concurrent use.
//
// A call returns at the latest when its context ends. A kernel call that hangs costs one goroutine, which ends when the
// kernel returns; its late result is dropped. So no sample is older than its call.
type Collector struct {
	// Immutable.
	job         *jobobject.Job // the caller's; nil to open name for each call
	name        string
	kernel      jobobject.Kernel
	queryLimits bool
	seekStarted bool // take the start from the members if it is unknown
	now         func() time.Time
	idle        time.Duration
	busyAfter   time.Duration
	made        time.Time

	limits     atomic.Pointer[Limits]
	released   atomic.Bool // nothing is kept any more
	violations ViolationCounter
	began      atomic.Int64 // when the call in progress began, in nanoseconds after made; 0 without one

	// sem holds a value while a call is in progress, and guards the fields below. It is no mutex because the kernel may
	// hang: the wait for it ends with a context.
	sem         chan struct{}
	members     members
	timer       *time.Timer        // closes the handles of an idle collector
	unsupported [metricCount]error // what the kernel does not support, so that it is queried once
	peak        uint64             // of the commit, if the job does not count it
	started     time.Time          // of the oldest member, if the start of the container is unknown
	total       uint32             // members that the job has counted so far
	panicked    string             // the panic of a call whose caller had left
}

// NewCollector makes a collector for a job that the caller holds open. [Collector.Release] it before the job is closed.
func NewCollector(job *jobobject.Job, o Options) *Collector {
	c := newCollector(o.KeepHandles, o.Idle, o.BusyAfter, o.Now)
	c.job, c.members.countHandles = job, o.CountHandles
	c.limits.Store(o.Limits)
	return c
}

// NewNamedCollector makes a collector for a job that another program made. Each call opens the job by its name and closes
// it, so that the collector does not keep it alive. The job need not exist yet: a call without it fails with
// [jobobject.ErrNotExist].
func NewNamedCollector(name string, o NamedOptions) *Collector {
	c := newCollector(o.KeepHandles, o.Idle, o.BusyAfter, o.Now)
	c.name, c.kernel, c.queryLimits = name, o.Kernel, o.QueryLimits
	c.members.countHandles = o.CountHandles
	return c
}

// NewSiloCollector is [NewNamedCollector] for the Windows Server container with this id, which the Host Compute Service
// made. If its start is unknown, samples have the creation of the oldest member that was found instead, as approximate.
func NewSiloCollector(id string, o NamedOptions) *Collector {
	c := NewNamedCollector(SiloName(id), o)
	c.seekStarted = true
	return c
}

func newCollector(keep bool, idle, busyAfter time.Duration, now func() time.Time) *Collector {
	c := &Collector{now: now, idle: idle, busyAfter: busyAfter, made: time.Now(), sem: make(chan struct{}, 1)}
	c.members.keep = keep
	if c.now == nil {
		c.now = time.Now
	}
	if c.idle == 0 {
		c.idle = DefaultIdle
	}
	return c
}

// SetLimits tells the collector the limits now in force; nil if they are unknown. The caller must not change *l later.
func (c *Collector) SetLimits(l *Limits) { c.limits.Store(l) }

// Observe counts a message of the job; every kind must be passed. Samples lack [MetricViolations] before the first
// message. See [jobobject.Job.Messages].
func (c *Collector) Observe(kind jobobject.MessageKind) { c.violations.Observe(kind) }

// Violations returns the counts. known is false before the first message.
func (c *Collector) Violations() (v Violations, known bool) { return c.violations.Violations() }

// Release closes the handles that are kept, and no call keeps one from now on; the collector can still be used. Call it
// before the container is ended, so that no open handle delays that. It does not wait for a call in progress, which
// closes its handles when it returns. It may be called again.
func (c *Collector) Release() {
	c.released.Store(true)
	c.closeKept()
}

// closeKept closes what is kept, unless a call is in progress: that call's release comes back here.
func (c *Collector) closeKept() {
	select {
	case c.sem <- struct{}{}:
	default:
		return
	}
	defer func() { <-c.sem }()
	c.members.keep = false
	c.members.closeAll()
	if c.timer != nil {
		c.timer.Stop()
	}
}

// closeIdle closes the handles of a collector that is not used. A call in progress sets the timer again.
func (c *Collector) closeIdle() {
	select {
	case c.sem <- struct{}{}:
	default:
		return
	}
	defer c.release()
	c.members.closeAll()
}

// finish ends the queries of a call: it closes the handles that are not kept, and sets the timer for those that are.
func (c *Collector) finish(job *jobobject.Job) {
	if !c.members.keep {
		c.members.closeAll()
	}
	if c.job == nil {
		_ = job.Close() // it was opened for queries only; nothing depends on it
	}
	if len(c.members.open) == 0 {
		return
	}
	if c.timer == nil {
		c.timer = time.AfterFunc(c.idle, c.closeIdle)
		return
	}
	c.timer.Reset(c.idle)
}

// open returns the caller's job, or opens it by name for one call. finish closes the latter.
func (c *Collector) open() (*jobobject.Job, error) {
	if c.job != nil {
		return c.job, nil
	}
	return jobobject.Open(c.name, jobobject.OpenOptions{Kernel: c.kernel})
}

// Sample queries every metric, in 3 + N kernel calls for N members whose handles are kept, and 6 + 4N otherwise. started
// is when the container's init process started, or zero if that is unknown. What the kernel refuses is missing in the
// sample, with the reason in [Sample].Metrics, and is no error.
//
// It fails with the error of ctx or with [ErrBusy], and if the job cannot be opened by its name, with the error of
// [jobobject.Open]; every metric is missing then. With a context that cannot end it runs on the caller's goroutine and
// allocates nothing.
func (c *Collector) Sample(ctx context.Context, started time.Time) (Sample, error) {
	err := c.acquire(ctx)
	if err == nil && ctx.Done() == nil {
		defer c.release()
		return c.sample(started)
	}
	var a sampleAnswer
	if err == nil {
		a, err = within(ctx, c, func() (a sampleAnswer) {
			a.Sample, a.err = c.sample(started)
			return a
		})
	}
	if err != nil {
		return Sample{}, fmt.Errorf("sample container: %w", err)
	}
	c.release()
	return a.Sample, a.err
}

// sampleAnswer is what sample returns.
type sampleAnswer struct {
	Sample
	err error
}

// Processes lists the members by pid, and no other process of the machine. It needs at most two kernel calls for the
// list unless the job grows meanwhile, three for each member whose handle is open, and up to five more for a member that
// has to be opened and closed. A member that may not be opened is listed with its pid alone. A member that exits
// meanwhile is left out.
//
// It fails if the job cannot be opened or listed, with the error of ctx, or with [ErrBusy].
func (c *Collector) Processes(ctx context.Context) ([]Process, error) {
	if err := c.acquire(ctx); err != nil {
		return nil, fmt.Errorf("list processes of container: %w", err)
	}
	l, err := within(ctx, c, c.list)
	if err != nil {
		return nil, fmt.Errorf("list processes of container: %w", err)
	}
	c.release()
	return l.processes, l.err
}
