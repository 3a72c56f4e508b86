package service_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// errDead is what a dead shim's calls come to. Nobody is there to read it.
var errDead = errors.New("the shim is dead")

// moment is before or after one call of a shim: the nth of its name. The zero moment never comes.
type moment struct {
	name  string
	nth   int
	after bool
}

func (m moment) String() string {
	if m.after {
		return fmt.Sprintf("after %s %d", m.name, m.nth)
	}
	return fmt.Sprintf("before %s %d", m.name, m.nth)
}

// fuse lets one shim die, or one of its calls hang. A death: at its moment the system closes whatever the shim has open, as it does for a process that
// ends, and no later call has any effect.
type fuse struct {
	at      moment
	hangs   chan struct{} // not nil: the shim does not die, the call hangs until this is closed
	fails   error         // not nil: nor does it then, the call fails with this
	blown   chan struct{} // closed when the moment has come
	greeted chan struct{} // gets a token when a client was heard

	// mu is held over the calls, so that the death is between two of them. It guards the fields below.
	mu   sync.Mutex
	made map[string]int
	met  bool
	dead bool

	keeping sync.Mutex     // guards the field below
	open    map[any]func() // by handle
}

func newFuse(at moment) *fuse {
	return &fuse{at: at, blown: make(chan struct{}), greeted: make(chan struct{}, 1), made: map[string]int{}, open: map[any]func(){}}
}

// call makes a call, unless the shim is dead or dies before it.
func (f *fuse) call(name string, do func() error) error {
	f.mu.Lock()
	if f.hangs != nil || f.fails != nil {
		f.mu.Unlock()
		if err := f.falter(name); err != nil {
			return err
		}
		return do()
	}
	defer f.mu.Unlock()
	if f.dead {
		return errDead
	}
	last := f.comesLocked(name)
	if last && !f.at.after {
		f.dieLocked()
		return errDead
	}
	err := do()
	if last {
		f.dieLocked()
		return errDead
	}
	return err
}

// falter has a call whose moment has come hang or fail.
func (f *fuse) falter(name string) error {
	f.mu.Lock()
	comes, hangs, fails := f.comesLocked(name), f.hangs, f.fails
	if comes {
		f.blowLocked()
	}
	f.mu.Unlock()
	switch {
	case !comes:
		return nil
	case hangs != nil:
		<-hangs
	}
	return fails
}

// arm sets the next moment of calls that hang, or fail with an error; nil is neither.
func (f *fuse) arm(at moment, hangs chan struct{}, fails error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.hangs, f.fails, f.met, f.blown = at, hangs, fails, false, make(chan struct{})
	clear(f.made)
}

// comesLocked counts a call and tells whether it is the one at which the shim dies.
func (f *fuse) comesLocked(name string) bool {
	f.made[name]++
	return name == f.at.name && f.made[name] == f.at.nth
}

func (f *fuse) dieLocked() {
	f.keeping.Lock()
	for _, release := range f.open {
		release()
	}
	clear(f.open)
	f.keeping.Unlock()
	f.dead = true
	f.blowLocked()
}

// blowLocked tells that the moment has come.
func (f *fuse) blowLocked() {
	if !f.met {
		close(f.blown)
	}
	f.met = true
}

// keep has something closed by the system when the shim dies, unless it forgets that because it has closed it itself.
func (f *fuse) keep(handle any, release func()) {
	f.keeping.Lock()
	defer f.keeping.Unlock()
	f.open[handle] = release
}

func (f *fuse) forget(handle any) {
	f.keeping.Lock()
	defer f.keeping.Unlock()
	delete(f.open, handle)
}

// moved tells whether the moment has come.
func (f *fuse) moved() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.met
}

func (f *fuse) died() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// moments are those that the calls so far had, in the order of their names.
func (f *fuse) moments() (all []moment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.made)) {
		for nth := 1; nth <= f.made[name]; nth++ {
			all = append(all, moment{name, nth, false}, moment{name, nth, true})
			if strings.HasPrefix(name, "file read ") || strings.HasPrefix(name, "file write ") {
				break // a transfer, of which there may be more or fewer
			}
		}
	}
	return all
}

// end is the death of a shim that has had no other.
func (f *fuse) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hangs = nil
	f.dieLocked()
}
