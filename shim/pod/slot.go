package pod

import (
	"fmt"
	"sync"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
)

// Slot holds the pod that a shim belongs to: none at first, and never a second one. The zero value is ready for use. All
// methods are safe for concurrent use.
type Slot struct {
	mu  sync.Mutex // guards the field below
	pod *Pod
}

// Get returns the pod, or nil.
func (s *Slot) Get() *Pod {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pod
}

// Of returns the pod whose sandbox has this id, or nil.
func (s *Slot) Of(id string) *Pod {
	if p := s.Get(); p != nil && p.ID == id {
		return p
	}
	return nil
}

// Set makes this the shim of a pod. It fails with [errdefs.ErrAlreadyExists] if it belongs to one.
func (s *Slot) Set(p *Pod) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pod != nil {
		return fmt.Errorf("the shim belongs to sandbox %s: %w", s.pod.ID, errdefs.ErrAlreadyExists)
	}
	s.pod = p
	return nil
}

// Clear undoes Set for a sandbox that could not be created. For another id it does nothing.
func (s *Slot) Clear(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pod != nil && s.pod.ID == id {
		s.pod = nil
	}
}

// Join takes a container before it is made, as the sandbox of a new pod, as a workload of the shim's pod, or as neither. It
// returns what the pod has for its containers, and records a workload.
func (s *Slot) Join(c plan.Member) (plan.Additions, error) {
	if c.Role == plan.Sandbox {
		return plan.Additions{}, s.Set(newPod(c.ID, c.Bundle, c.HostProcess, c.Annotations))
	}
	p, err := s.podFor(c.Sandbox)
	if p == nil || err != nil {
		return plan.Additions{}, err
	}
	if err := p.checkWorkload(c.HostProcess); err != nil {
		return plan.Additions{}, err
	}
	return p.additions(), p.record(c.ID, c.Bundle)
}

// podFor returns the pod that a workload joins, or nil if it joins none. It fails with [errdefs.ErrFailedPrecondition]
// unless the workload's sandbox is this shim's and runs.
func (s *Slot) podFor(sandbox string) (*Pod, error) {
	switch p := s.Get(); {
	case p == nil && sandbox == "":
		return nil, nil
	case p == nil:
		return nil, fmt.Errorf("sandbox %s is not here: create it first: %w", sandbox, errdefs.ErrFailedPrecondition)
	case sandbox != "" && sandbox != p.ID:
		return nil, fmt.Errorf("the container belongs to sandbox %s, but this is the shim of sandbox %s: %w",
			sandbox, p.ID, errdefs.ErrFailedPrecondition)
	default:
		return p, p.CheckRunning()
	}
}

// CheckStart fails with [errdefs.ErrFailedPrecondition] if a task is a workload whose sandbox does not run.
func (s *Slot) CheckStart(id string) error {
	p := s.Get()
	if p == nil || p.ID == id {
		return nil
	}
	return p.CheckRunning()
}
