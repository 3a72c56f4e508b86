package service

import (
	"context"
	"fmt"
	"os"
	"sync"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/task"
)

// Config is what a [Service] is made of.
type Config struct {
	// Namespace is containerd's, for the names of what the host makes.
	Namespace string
	// Engine makes the containers.
	Engine engine.Engine
	// Machine is what plans are made for; the zero value is the one that runs.
	Machine plan.Machine
	// Emit takes an event of containerd's api/events. It must not block.
	Emit func(event any)
	// Options are those that the shim was started with. A task brings its own; a sandbox does not.
	Options bootstrap.Options
	// Shutdown is called once when the last task is gone and containerd has asked for the end.
	Shutdown func()
}

// Service is the Task API of one shim process. All methods are safe for concurrent use.
type Service struct {
	// Immutable after New.
	config Config
	once   sync.Once // guards Config.Shutdown
	need   func(int) // counts the tasks, for who waits for none

	// mu guards the fields below.
	mu      sync.Mutex
	tasks   map[string]*entry // a nil entry is an id that is being created
	pod     *pod              // nil where there is no sandbox, and none was
	leaving bool              // the end was asked for while workloads outlived their sandbox
	over    bool              // the shim ends
}

var _ api.TTRPCTaskService = (*Service)(nil)

// NewService makes a service without tasks.
func NewService(c Config) *Service {
	return &Service{config: c, tasks: map[string]*entry{}, need: func(int) {}}
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
// caller settles or frees it.
func (s *Service) reserve(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return fmt.Errorf("task %s: the shim has been asked to end: %w", id, errdefs.ErrUnavailable)
	}
	if _, taken := s.tasks[id]; taken {
		return fmt.Errorf("task %s: %w", id, errdefs.ErrAlreadyExists)
	}
	s.tasks[id] = nil
	s.need(1)
	return nil
}

// settle makes a task reachable. It fails with [errdefs.ErrFailedPrecondition] if the pod that it belongs to has begun to
// end meanwhile.
func (s *Service) settle(t *entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pod; p != nil && p.id != t.ID && p.ending {
		return fmt.Errorf("sandbox %s has been stopped: %w", p.id, errdefs.ErrFailedPrecondition)
	}
	s.tasks[t.ID] = t
	return nil
}

// free lets go of an id, and ends the shim if it was asked to end after this one.
func (s *Service) free(id string) {
	s.mu.Lock()
	if _, held := s.tasks[id]; held {
		s.need(-1)
	}
	delete(s.tasks, id)
	if p := s.pod; p != nil && p.id == id {
		p.ending = true
	}
	s.over = s.over || s.leaving && len(s.tasks) == 0
	over := s.over
	s.mu.Unlock()
	if over {
		s.end()
	}
}

// end ends the shim. No id is taken any more before it does.
func (s *Service) end() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.once.Do(s.config.Shutdown)
}

// leave ends the shim if no task is held or being made, and tells whether it does. If id is that of a sandbox, and it is
// gone, the last of the others does.
func (s *Service) leave(id string) bool {
	s.mu.Lock()
	if _, held := s.tasks[id]; !held && s.pod != nil && s.pod.id == id {
		s.leaving = true
	}
	s.over = s.over || len(s.tasks) == 0
	over := s.over
	s.mu.Unlock()
	if over {
		s.end()
	}
	return over
}

// Connect tells the pids of the shim and of the task's init.
func (s *Service) Connect(_ context.Context, r *api.ConnectRequest) (*api.ConnectResponse, error) {
	answer := &api.ConnectResponse{ShimPid: uint32(os.Getpid())}
	if t, err := s.task(r.ID); err == nil {
		answer.TaskPid = t.Init.Status().Pid
	}
	return answer, nil
}

// Shutdown ends the shim if it holds no task any more, or at once if Now is set. Tasks that are still there keep it
// alive: containerd asks after each container of a pod. If it asks after the sandbox, which is gone, the last workload
// ends the shim.
func (s *Service) Shutdown(_ context.Context, r *api.ShutdownRequest) (*empty, error) {
	if !s.leave(r.ID) && r.Now {
		s.end()
	}
	return &empty{}, nil
}

// report logs what went wrong in a task where nobody waits for an answer.
func report(id string) func(string, error) {
	return func(doing string, err error) {
		log.L.WithField(logfield.ContainerID, id).WithError(err).Warn(doing)
	}
}
