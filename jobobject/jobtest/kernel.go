package jobtest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/siloshim/siloshim/internal/seal"
	"github.com/siloshim/siloshim/jobobject"
)

// What the kernel answers where package jobobject has no sentinel.
var (
	ErrInvalidHandle    = errors.New("the handle is invalid")
	ErrInvalidParameter = errors.New("the parameter is incorrect")
	ErrQuota            = errors.New("not enough quota is available")
)

// Self is the pid of the process that uses the kernel: the test itself.
const Self uint32 = 4000

// Kernel is a simulated NT kernel, a [jobobject.Kernel]. It is safe for
// concurrent use. A handle is never used twice, so that a use after close is an
// error and never a coincidence; a pid only after [Kernel.RecyclePids].
type Kernel struct {
	seal.Marker

	running sync.WaitGroup // goroutines of programs

	mu          sync.Mutex // guards the fields below and all objects
	handles     map[jobobject.Handle]entry
	last        jobobject.Handle
	lastPid     uint32
	recycle     bool
	hosts       bool     // consoles have processes
	freePids    []uint32 // newest last
	lastSilo    uint32
	now         time.Time
	cpus        int
	named       map[string]*job
	descriptors []JobDescriptor
	own         *job             // that the process Self is in; nil for none
	procs       map[uint32]*Proc // also ended ones with an open handle
	programs    map[string]func(*Proc) uint32
	plan        plan
	lost        map[jobobject.MessageKind]int // how often still; negative means always
}

// entry is what a handle stands for: a *job, a *Proc, a *port or a *console.
type entry struct {
	object any
	access uint32
}

var _ jobobject.Kernel = (*Kernel)(nil)

// New returns a kernel without jobs, processes and programs.
func New() *Kernel {
	return &Kernel{
		lastPid:  Self,
		handles:  make(map[jobobject.Handle]entry),
		named:    make(map[string]*job),
		procs:    make(map[uint32]*Proc),
		programs: make(map[string]func(*Proc) uint32),
		now:      Epoch,
		cpus:     DefaultProcessors,
		plan:     plan{calls: make(map[string]int)},
		lost:     make(map[jobobject.MessageKind]int),
	}
}

// OpenHandles counts the open handles.
func (k *Kernel) OpenHandles() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.handles)
}

// Wait returns when the functions of all processes have returned.
func (k *Kernel) Wait() { k.running.Wait() }

func (k *Kernel) openLocked(object any, access uint32) jobobject.Handle {
	k.last += 4
	k.handles[k.last] = entry{object, access}
	switch o := object.(type) {
	case *job:
		o.handles++
	case *port:
		o.handles++
	case *Proc:
		o.handles++
	}
	return k.last
}

// lookLocked finds the object of type T behind h, if h carries all of access.
func lookLocked[T any](k *Kernel, op string, h jobobject.Handle, access uint32) (T, error) {
	var zero T
	if err := k.enterLocked(op); err != nil {
		return zero, err
	}
	e, ok := k.handles[h]
	if !ok {
		return zero, ErrInvalidHandle
	}
	object, ok := e.object.(T)
	if !ok {
		return zero, ErrInvalidHandle
	}
	if e.access&access != access {
		return zero, fmt.Errorf("handle has no access %#x: %w", access&^e.access, jobobject.ErrPermission)
	}
	return object, nil
}

// CloseHandle implements [jobobject.Kernel].
func (k *Kernel) CloseHandle(h jobobject.Handle) error {
	victims, err := k.closeHandle(h)
	k.kill(victims, 0)
	return err
}

// closeHandle returns the processes that end with the handle.
func (k *Kernel) closeHandle(h jobobject.Handle) ([]*Proc, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.handles[h]
	if err := k.enterLocked("CloseHandle"); err != nil {
		return nil, err
	}
	if _, is := e.object.(*console); !ok || is { // which CloseConsole closes
		return nil, ErrInvalidHandle
	}
	delete(k.handles, h)
	switch o := e.object.(type) {
	case *port:
		o.handles--
	case *Proc:
		o.handles--
		k.removeLocked(o)
	case *job:
		o.handles--
		if o.handles > 0 {
			break
		}
		delete(k.named, nameKey(o.name))
		if o.limits.KillOnClose {
			return o.membersToEndLocked(), nil
		}
	}
	return nil, nil
}
