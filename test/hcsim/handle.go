package main

import (
	"sync"

	"github.com/siloshim/siloshim/hcs"
)

// event is what is told to a callback.
type event struct {
	kind     hcs.Event
	document string
}

// handle is what a caller holds of a system or a process.
type handle struct {
	system  *system
	process *process // nil for one of a system
	tell    func(event)
}

// world is all that there is in this process.
var world = struct {
	sync.Mutex // guards the fields below and all that they lead to
	last       uintptr
	handles    map[uintptr]*handle
	operations map[uintptr]*operation
	systems    map[string]*system
}{handles: map[uintptr]*handle{}, operations: map[uintptr]*operation{}, systems: map[string]*system{}}

// openLocked makes a handle.
func openLocked(s *system, p *process) uintptr {
	world.last += 16
	world.handles[world.last] = &handle{system: s, process: p}
	return world.last
}

// look finds the system behind a handle.
func look(h uintptr) (*system, error) {
	world.Lock()
	defer world.Unlock()
	if e := world.handles[h]; e != nil && e.process == nil {
		return e.system, nil
	}
	return nil, hcs.CodeWin32InvalidHandle
}

// lookProcess finds the process behind a handle.
func lookProcess(h uintptr) (*process, error) {
	world.Lock()
	defer world.Unlock()
	if e := world.handles[h]; e != nil && e.process != nil {
		return e.process, nil
	}
	return nil, hcs.CodeWin32InvalidHandle
}

// shut closes a handle, and ends a system with its last one.
func shut(h uintptr) {
	world.Lock()
	e := world.handles[h]
	delete(world.handles, h)
	last := e != nil && e.process == nil
	for _, other := range world.handles {
		last = last && (other.process != nil || other.system != e.system)
	}
	world.Unlock()
	if last && e.system.document.ShouldTerminateOnLastHandleClosed {
		_ = e.system.stop(exitForced) // it may have stopped already
	}
}

// subscribe sets the callback of a handle, which hears at once what it has missed.
func subscribe(h uintptr, tell func(event)) error {
	world.Lock()
	defer world.Unlock()
	e := world.handles[h]
	if e == nil {
		return hcs.CodeWin32InvalidHandle
	}
	if e.tell != nil {
		return hcs.CodeCallbackAlreadySet
	}
	e.tell = tell
	missed := e.system.exit
	if e.process != nil {
		missed = e.process.exit
	}
	if missed != nil {
		go tell(*missed)
	}
	return nil
}

// announceLocked tells all who hold the object.
func announceLocked(s *system, p *process, ev event) {
	for _, e := range world.handles {
		if e.system == s && e.process == p && e.tell != nil {
			go e.tell(ev)
		}
	}
}
