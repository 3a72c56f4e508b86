package dashboard

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"
)

const (
	// Interval is the time between two samples while a page is open.
	Interval = 2 * time.Second
	// IdleInterval is the time between two samples while none is.
	IdleInterval = 10 * time.Second
)

// Dashboard keeps the history of a machine's containers and serves it. All methods are safe for concurrent use.
type Dashboard struct {
	// Immutable after New.
	source  Source
	options Options
	wake    chan struct{} // holds a token when a page was opened
	streams chan struct{} // holds a token for each open stream
	ended   chan struct{} // closed when Run ends

	sampling sync.Mutex // held during a look, so that there is one at a time

	mu       sync.Mutex // guards the fields below
	seq      uint64     // of the latest look
	changed  chan struct{}
	watchers int
	latest   Look
	failure  error     // of the latest look
	complete time.Time // when a look last succeeded
	hidden   int       // containers above maxTracked
	tracked  map[string]*history
	order    []*history // by name
	sum      ring[point]
	events   ring[*event]
	shared   map[string]*view // views of the machine by their order, of the latest look
}

// Options of a [Dashboard].
type Options struct {
	// AllowHosts are further names by which the page may be opened, beside the address that it is served on.
	AllowHosts []string
	// Version is shown on the page.
	Version string
	// Host is the name of the machine.
	Host string
}

// New makes a dashboard. It has no history before the first [Dashboard.Sample].
func New(source Source, o Options) *Dashboard {
	return &Dashboard{
		source: source, options: o,
		wake: make(chan struct{}, 1), streams: make(chan struct{}, maxStreams), ended: make(chan struct{}),
		changed: make(chan struct{}), tracked: map[string]*history{},
		sum: newRing[point](pointsKept), events: newRing[*event](nodeEvents), shared: map[string]*view{},
	}
}

// Run samples until ctx ends, and then ends the updates of all pages. Call it once.
func (d *Dashboard) Run(ctx context.Context) {
	defer close(d.ended)
	for {
		d.Sample(ctx)
		pause := time.NewTimer(d.pause())
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		case <-d.wake:
			pause.Stop()
		}
	}
}

// pause is the time to the next look.
func (d *Dashboard) pause() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.watchers > 0 {
		return Interval
	}
	return IdleInterval
}

// watch counts an open page until done is called. The first one ends the pause of [Dashboard.Run].
func (d *Dashboard) watch() (done func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers++
	if d.watchers == 1 {
		select {
		case d.wake <- struct{}{}:
		default: // a look is due anyway
		}
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.watchers--
	}
}

// Sample looks once at all containers, and updates the open pages.
func (d *Dashboard) Sample(ctx context.Context) {
	d.sampling.Lock()
	defer d.sampling.Unlock()
	look, err := d.source.Look(ctx)
	if ctx.Err() != nil {
		return // it was interrupted, which is not the machine's failure
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	first := d.complete.IsZero()
	d.latest, d.failure = look, err
	if err == nil || len(look.Containers) > 0 {
		d.complete = look.Time
		d.takeLocked(look, first)
	}
	d.seq++
	clear(d.shared)
	close(d.changed)
	d.changed = make(chan struct{})
}

// takeLocked updates the histories. first is set for the first look, before which nothing has happened.
func (d *Dashboard) takeLocked(look Look, first bool) {
	d.hidden = 0
	seen := make(map[string]bool, len(look.Containers))
	total := noPoint
	for i := range look.Containers {
		c := &look.Containers[i]
		name := c.Name()
		h := d.tracked[name]
		if h == nil {
			if len(d.tracked) >= maxTracked && !d.forgetGoneLocked() {
				d.hidden++
				continue
			}
			h = newHistory(c)
			d.tracked[name] = h
			if !first && c.Exit == nil {
				d.noteLocked(h, event{At: look.Time, Text: "started", mark: true})
			}
		} else {
			for _, e := range append(changes(&h.Container, c), processChanges(h.Processes, c.Processes)...) {
				if e.At.IsZero() {
					e.At = look.Time
				}
				d.noteLocked(h, e)
			}
		}
		seen[name] = true
		h.update(c, look.Time)
		if c.Exit == nil {
			total = total.plus(h.now)
		}
	}
	for name, h := range d.tracked {
		switch {
		case seen[name]:
		case h.Exit != nil || !h.gone.IsZero() && look.Time.Sub(h.gone) > Window:
			delete(d.tracked, name) // its record was removed, or its history has left the plots
		case h.gone.IsZero():
			h.interrupt(look.Time)
			h.gone, h.Processes, h.loads = look.Time, nil, nil
			d.noteLocked(h, event{At: look.Time, Text: "is gone; its exit code is not recorded", mark: true})
		}
	}
	total.at = look.Time
	d.sum.add(total)
	d.order = d.order[:0]
	for _, h := range d.tracked {
		d.order = append(d.order, h)
	}
	slices.SortFunc(d.order, func(a, b *history) int { return cmp.Compare(a.Name(), b.Name()) })
}

// forgetGoneLocked makes room for a new container.
func (d *Dashboard) forgetGoneLocked() bool {
	for name, h := range d.tracked {
		if h.Exit != nil || !h.gone.IsZero() {
			delete(d.tracked, name)
			return true
		}
	}
	return false
}

func (d *Dashboard) noteLocked(h *history, e event) {
	e.Container = h.Name()
	for last := range h.events.latest() {
		if last.join(&e) {
			return
		}
		break
	}
	h.events.add(&e)
	if !e.process {
		d.events.add(&e)
	}
}

// next returns a channel that is closed by the next look.
func (d *Dashboard) next() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

// firstTimeout bounds how long a page waits for the first look.
const firstTimeout = 10 * time.Second

// awaitFirst waits for the first look, so that a machine is not shown without its containers.
func (d *Dashboard) awaitFirst(ctx context.Context) {
	d.mu.Lock()
	seq, changed := d.seq, d.changed
	d.mu.Unlock()
	if seq > 0 {
		return
	}
	timeout := time.NewTimer(firstTimeout)
	defer timeout.Stop()
	select {
	case <-changed:
	case <-ctx.Done():
	case <-d.ended:
	case <-timeout.C:
	}
}

// rowID is the id of a container in the page. A name may have any characters, so it cannot be one.
func rowID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "c" + hex.EncodeToString(sum[:6])
}
