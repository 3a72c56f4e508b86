package main

import (
	"sync"

	"github.com/siloshim/siloshim/hcs"
)

// event is an argument of a callback.
type event struct {
	kind     hcs.Event
	document string
}

// handle is a caller's handle of a system or a process.
type handle struct {
	system  *system
	process *process // nil in a handle of a system
	notify  func(event)
}

// world is the state of the service in this process.
var world = struct {
	sync.Mutex // guards the fields below and the objects that they lead to
	last       uintptr
	handles    map[uintptr]*handle
	operations map[uintptr]*operation
	systems    map[string]*system
}{handles: map[uintptr]*handle{}, operations: map[uintptr]*operation{}, systems: map[string]*system{}}

// openLocked creates a handle.
func openLocked(s *system, p *process) uintptr {
	world.last += 16
	world.handles[world.last] = &handle{system: s, process: p}
	return world.last
}

// systemOf finds the system behind a handle.
func systemOf(h uintptr) (*system, error) {
	world.Lock()
	defer world.Unlock()
	if e := world.handles[h]; e != nil && e.process == nil {
		return e.system, nil
	}
	return nil, hcs.CodeWin32InvalidHandle
}

// processOf finds the process behind a handle.
func processOf(h uintptr) (*process, error) {
	world.Lock()
	defer world.Unlock()
	if e := world.handles[h]; e != nil && e.process != nil {
		return e.process, nil
	}
	return nil, hcs.CodeWin32InvalidHandle
}

// closeHandle closes a handle. If the handle was the last of its system, the system may end.
func closeHandle(h uintptr) {
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

// subscribe sets the callback of a handle and passes the exit to it, if the exit has been.
func subscribe(h uintptr, notify func(event)) error {
	world.Lock()
	defer world.Unlock()
	e := world.handles[h]
	if e == nil {
		return hcs.CodeWin32InvalidHandle
	}
	if e.notify != nil {
		return hcs.CodeCallbackAlreadySet
	}
	e.notify = notify
	missed := e.system.exit
	if e.process != nil {
		missed = e.process.exit
	}
	if missed != nil {
		go notify(*missed)
	}
	return nil
}

// announceLocked passes an event to the callbacks of an object.
func announceLocked(s *system, p *process, ev event) {
	for _, e := range world.handles {
		if e.system == s && e.process == p && e.notify != nil {
			go e.notify(ev)
		}
	}
}
