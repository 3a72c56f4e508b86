// Package service serves containerd's Task API, version 3 and version 2, and its Sandbox API, for the containers of one shim
// process.
//
// A request passes the interceptor (span, panic, error class) and its timeout. Then a method of [Service] decodes it, calls
// the task of package task, and encodes the answer. Each verb group has a file: create, exec, process, pause, update,
// statistics, shutdown, sandbox. The service has the table of the tasks; package pod has what they share if they are a pod.
// Containers are made by the engine in [Config].
//
// See https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md for the contract.
package service

import (
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/pod"
	"github.com/siloshim/siloshim/shim/task"
)

// Config has the parts of a [Service].
type Config struct {
	// Namespace is containerd's. It is part of the names of what the engine makes.
	Namespace string
	// Engine makes the containers.
	Engine engine.Engine
	// Machine is what plans are made for; the zero value is this machine.
	Machine plan.Machine
	// Emit takes an event of containerd's api/events. It must not block.
	Emit func(event any)
	// Options are those that the shim was started with. They apply to a sandbox of the Sandbox API; a task has its own.
	Options bootstrap.Options
	// Shutdown is called once: when there is no task and containerd has requested the end, or the shim was idle.
	Shutdown func()
}

// Service is the Task API and the Sandbox API of one shim process. All methods are safe for concurrent use.
type Service struct {
	// Immutable after NewService.
	config     Config
	once       sync.Once       // guards the call of Config.Shutdown
	countTasks func(delta int) // counts the ids in tasks, for the idle timeout
	pod        pod.Slot

	// mu guards the fields below. It may be held over calls of pod, not the reverse.
	mu                sync.Mutex
	tasks             map[string]*entry // a nil entry is an id that is being created
	shutDownWhenEmpty bool              // the end was requested while workloads outlived their sandbox
	shutDown          bool              // the shim ends: no id is reserved any more
}

type empty = emptypb.Empty

// NewService makes a service without tasks.
func NewService(c Config) *Service {
	return &Service{config: c, tasks: map[string]*entry{}, countTasks: func(int) {}}
}

// task finds a task by its id, or fails with [errdefs.ErrNotFound].
func (s *Service) task(id string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tasks[id]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("task %s: %w", id, errdefs.ErrNotFound)
}

// process finds init or an exec of a task, or fails with [errdefs.ErrNotFound].
func (s *Service) process(id, execID string) (*entry, *task.Process, error) {
	t, err := s.task(id)
	if err != nil {
		return nil, nil, err
	}
	p, err := t.Process(execID)
	return t, p, err
}

// reserve takes an id, or fails with [errdefs.ErrAlreadyExists], or with [errdefs.ErrUnavailable] if the shim ends. The
// caller publishes or releases it.
func (s *Service) reserve(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shutDown {
		return fmt.Errorf("task %s: the shim is shutting down: %w", id, errdefs.ErrUnavailable)
	}
	if _, taken := s.tasks[id]; taken {
		return fmt.Errorf("task %s: %w", id, errdefs.ErrAlreadyExists)
	}
	s.tasks[id] = nil
	s.countTasks(1)
	return nil
}

// publish makes a task reachable by its reserved id. It fails with [errdefs.ErrFailedPrecondition] if the pod has begun to
// end meanwhile: a pod that ends takes all its tasks with it.
func (s *Service) publish(t *entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pod.Get(); p != nil {
		if err := p.Add(t.Task); err != nil {
			return err
		}
	}
	s.tasks[t.ID] = t
	return nil
}

// release makes an id free again and, if the end was requested meanwhile, shuts down after the last one.
func (s *Service) release(id string) {
	s.mu.Lock()
	if _, reserved := s.tasks[id]; reserved {
		s.countTasks(-1)
	}
	delete(s.tasks, id)
	if p := s.pod.Get(); p != nil {
		p.Remove(id)
	}
	s.shutDown = s.shutDown || s.shutDownWhenEmpty && len(s.tasks) == 0
	last := s.shutDown
	s.mu.Unlock()
	if last {
		s.end()
	}
}

// removeRecord excludes a task from what `delete` cleans up for its pod.
func (s *Service) removeRecord(id string) {
	p := s.pod.Get()
	if p == nil {
		return
	}
	if err := p.RemoveRecord(id); err != nil {
		report(id)("remove the record of the workload", err)
	}
}

// report logs a failure in a task that no request returns.
func report(id string) func(string, error) {
	return func(doing string, err error) {
		log.L.WithField(logfield.ContainerID, id).WithError(err).Warn(doing)
	}
}
