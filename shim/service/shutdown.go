package service

import (
	"context"
	"sync"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
)

// Shutdown ends the shim if it has no task, or at once if Now is set. With tasks it has no effect: containerd requests the
// end after each container of a pod. If ID is a sandbox that was deleted, the shim ends with the last workload.
func (s *Service) Shutdown(_ context.Context, r *api.ShutdownRequest) (*empty, error) {
	if !s.endIfEmpty(r.ID) && r.Now {
		s.end()
	}
	return &empty{}, nil
}

// end ends the shim. From then on no id can be reserved.
func (s *Service) end() {
	s.mu.Lock()
	s.shutDown = true
	s.mu.Unlock()
	s.once.Do(s.config.Shutdown)
}

// endIfEmpty ends the shim if there is no task, and none is being created, and reports whether it does. If id is that of
// a sandbox which was deleted, the release of the last task will end it.
func (s *Service) endIfEmpty(id string) bool {
	s.mu.Lock()
	if _, reserved := s.tasks[id]; !reserved && s.pod.Of(id) != nil {
		s.shutDownWhenEmpty = true
	}
	s.shutDown = s.shutDown || len(s.tasks) == 0
	ends := s.shutDown
	s.mu.Unlock()
	if ends {
		s.end()
	}
	return ends
}

// idleTimeout is how long a shim stays without a task and without a client. It is longer than a restart of containerd.
const idleTimeout = 30 * time.Second

// idle ends a shim that is not used: its containerd ended between the start and the first Create, or before the Shutdown
// that follows the last Delete. All methods are safe for concurrent use.
type idle struct {
	// mu guards the fields below.
	mu      sync.Mutex
	users   int // tasks, ids that are being created, and clients
	timer   *time.Timer
	clients int
	none    chan struct{} // see noClients; nil until it is called
}

// newIdle starts the timeout. end is called once, on another goroutine.
func newIdle(end func()) *idle { return &idle{timer: time.AfterFunc(idleTimeout, end)} }

// watchIdle ends the shim after the idle timeout. A task that is created at the last moment keeps it.
func (s *Service) watchIdle() *idle {
	i := newIdle(func() { s.endIfEmpty("") })
	s.countTasks = i.count
	return i
}

// count adds users.
func (i *idle) count(delta int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.users += delta
	if i.users == 0 {
		i.timer.Reset(idleTimeout)
	} else {
		i.timer.Stop()
	}
}

// countClients adds clients, who are users as well.
func (i *idle) countClients(delta int) {
	i.count(delta)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.clients += delta
	if i.clients == 0 && i.none != nil {
		close(i.none)
		i.none = nil
	}
}

// noClients returns a channel that is closed once there is no client.
func (i *idle) noClients() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.none == nil {
		i.none = make(chan struct{})
	}
	none := i.none
	if i.clients == 0 {
		close(none)
		i.none = nil
	}
	return none
}

// close stops the timeout.
func (i *idle) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.timer.Stop()
}
