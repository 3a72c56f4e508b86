package sim_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// errExited is what the calls of a shim return after its exit. Nothing of the shim uses it.
var errExited = errors.New("the shim has exited")

// point is before or after one call of a shim: the nth of its name. The zero point is never reached.
type point struct {
	name  string
	nth   int
	after bool
}

func (p point) String() string {
	if p.after {
		return fmt.Sprintf("after %s %d", p.name, p.nth)
	}
	return fmt.Sprintf("before %s %d", p.name, p.nth)
}

// injector makes one shim exit at a point, or one of its calls hang or fail. At an exit the system closes what the shim
// has open, as it does for a process, and no later call has an effect. All methods are safe for concurrent use.
type injector struct {
	at        point
	hangs     chan struct{} // not nil: the shim does not exit, the call hangs until this is closed
	fails     error         // not nil: the shim does not exit, the call returns this
	reached   chan struct{} // closed when the point is reached
	stdinRead chan struct{} // gets a value when the shim has read from its client

	// mu is held over the calls, so that the exit is between two of them. It guards the fields below.
	mu        sync.Mutex
	counts    map[string]int // of the calls, by name
	isReached bool
	exited    bool

	openMu sync.Mutex     // guards the field below
	open   map[any]func() // closes, by handle
}

func newInjector(at point) *injector {
	return &injector{
		at: at, reached: make(chan struct{}), stdinRead: make(chan struct{}, 1), counts: map[string]int{}, open: map[any]func(){},
	}
}

// call makes a call, unless the shim has exited or exits before it.
func (f *injector) call(name string, do func() error) error {
	f.mu.Lock()
	if f.hangs != nil || f.fails != nil {
		f.mu.Unlock()
		if err := f.hangOrFail(name); err != nil {
			return err
		}
		return do()
	}
	defer f.mu.Unlock()
	if f.exited {
		return errExited
	}
	last := f.countLocked(name)
	if last && !f.at.after {
		f.exitLocked()
		return errExited
	}
	err := do()
	if last {
		f.exitLocked()
		return errExited
	}
	return err
}

// hangOrFail lets a call hang or fail if it is at the point.
func (f *injector) hangOrFail(name string) error {
	f.mu.Lock()
	here, hangs, fails := f.countLocked(name), f.hangs, f.fails
	if here {
		f.markReachedLocked()
	}
	f.mu.Unlock()
	switch {
	case !here:
		return nil
	case hangs != nil:
		<-hangs
	}
	return fails
}

// arm sets the next point, at which a call hangs or fails. One of hangs and fails must not be nil. The zero point sets none.
func (f *injector) arm(at point, hangs chan struct{}, fails error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.hangs, f.fails, f.isReached, f.reached = at, hangs, fails, false, make(chan struct{})
	clear(f.counts)
}

// countLocked counts a call and reports whether it is the one of the point.
func (f *injector) countLocked(name string) bool {
	f.counts[name]++
	return name == f.at.name && f.counts[name] == f.at.nth
}

func (f *injector) exitLocked() {
	f.openMu.Lock()
	for _, closeHandle := range f.open {
		closeHandle()
	}
	clear(f.open)
	f.openMu.Unlock()
	f.exited = true
	f.markReachedLocked()
}

func (f *injector) markReachedLocked() {
	if !f.isReached {
		close(f.reached)
	}
	f.isReached = true
}

// opened adds a handle that the system closes when the shim exits; closed removes one that the shim closes.
func (f *injector) opened(handle any, closeHandle func()) {
	f.openMu.Lock()
	defer f.openMu.Unlock()
	f.open[handle] = closeHandle
}

func (f *injector) closed(handle any) {
	f.openMu.Lock()
	defer f.openMu.Unlock()
	delete(f.open, handle)
}

func (f *injector) wasReached() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.isReached
}

func (f *injector) hasExited() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.exited
}

// points lists those of the calls so far, in the order of their names.
func (f *injector) points() (all []point) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		for nth := 1; nth <= f.counts[name]; nth++ {
			all = append(all, point{name, nth, false}, point{name, nth, true})
			if strings.HasPrefix(name, "file read ") || strings.HasPrefix(name, "file write ") {
				break // the number of transfers varies
			}
		}
	}
	return all
}

// exit ends a shim that has reached no point.
func (f *injector) exit() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hangs = nil
	f.exitLocked()
}
