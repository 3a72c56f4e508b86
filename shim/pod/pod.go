package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/task"
)

// pod is what the tasks of a shim have in common when there is a sandbox among them. The sandbox is the task with the
// pod's id, whoever asked for it.
type pod struct {
	// Immutable.
	id, bundle  string
	job         bool              // of job containers
	api         bool              // the Sandbox API made it, and ends it
	annotations map[string]string // of the sandbox
	network     string            // the network namespace of its containers, if the Sandbox API named one
	created     time.Time

	// ending says that nothing starts in it any more. Service.mu guards it.
	ending bool
}

// enroll finds the place of a container that is to be made: the sandbox of a new pod, a workload of the one that is
// here, or none. It completes what the container asks for with what the pod has for all of its own.
func (s *Service) enroll(id, bundle string, wanted *specs.Spec) error {
	role, sandbox, err := plan.RoleOf(id, wanted.Annotations)
	if err != nil {
		return err
	}
	if role == plan.Sandbox {
		plan.KeepRunning(wanted)
		return s.found(&pod{id: id, bundle: bundle, job: plan.IsHostProcess(wanted), annotations: wanted.Annotations, created: time.Now()})
	}
	p, err := s.hosts(sandbox)
	if p == nil || err != nil {
		return err
	}
	if err := p.admit(wanted); err != nil {
		return err
	}
	return p.record(id, bundle)
}

// found makes this the shim of a pod. A shim has one: another is [errdefs.ErrAlreadyExists].
func (s *Service) found(p *pod) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pod != nil {
		return fmt.Errorf("the shim belongs to sandbox %s: %w", s.pod.id, errdefs.ErrAlreadyExists)
	}
	s.pod = p
	return nil
}

// unfound undoes found for a sandbox that could not be made.
func (s *Service) unfound(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pod != nil && s.pod.id == id {
		s.pod = nil
	}
}

// hosts is the pod that a workload joins, nil if it joins none. It fails with [errdefs.ErrFailedPrecondition] unless
// the sandbox is here and runs.
func (s *Service) hosts(sandbox string) (*pod, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch p := s.pod; {
	case p == nil && sandbox == "":
		return nil, nil
	case p == nil:
		return nil, fmt.Errorf("sandbox %s is not here: create it first: %w", sandbox, errdefs.ErrFailedPrecondition)
	case sandbox != "" && sandbox != p.id:
		return nil, fmt.Errorf("the container belongs to sandbox %s, but this is the shim of sandbox %s: %w",
			sandbox, p.id, errdefs.ErrFailedPrecondition)
	default:
		return p, s.runsLocked(p)
	}
}

// runsLocked says why nothing may start in a pod, if it may not. s.mu must be held.
func (s *Service) runsLocked(p *pod) error {
	t := s.tasks[p.id]
	if t == nil || p.ending {
		return fmt.Errorf("sandbox %s is not running: %w", p.id, errdefs.ErrFailedPrecondition)
	}
	if state := t.Init.Status().State; state != task.Running {
		return fmt.Errorf("sandbox %s is %s, not running: %w", p.id, state, errdefs.ErrFailedPrecondition)
	}
	return nil
}

// mayStart says why a task may not start, if it may not: a workload needs its sandbox.
func (s *Service) mayStart(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pod == nil || s.pod.id == id {
		return nil
	}
	return s.runsLocked(s.pod)
}

// admit refuses a workload that does not go with the pod, and gives the others what the pod has for them.
func (p *pod) admit(wanted *specs.Spec) error {
	switch job := plan.IsHostProcess(wanted); {
	case job && !p.job:
		return fmt.Errorf("a job container cannot join sandbox %s, which is not one of job containers: "+
			"ask for host process on the pod as well: %w", p.id, errdefs.ErrFailedPrecondition)
	case !job && p.job:
		return fmt.Errorf("sandbox %s takes job containers only: ask for host process on the container as well: %w",
			p.id, errdefs.ErrFailedPrecondition)
	case job:
		plan.Inherit(wanted, p.annotations)
		return nil
	}
	return plan.JoinNetwork(wanted, p.network)
}

// workloads lists the other tasks of a pod.
func (s *Service) workloads(p *pod) (all []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.tasks {
		if id != p.id && t != nil {
			all = append(all, t)
		}
	}
	return all
}

// podOf is the pod whose sandbox has this id, or nil.
func (s *Service) podOf(id string) *pod {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pod != nil && s.pod.id == id {
		return s.pod
	}
	return nil
}

// killPod sends a signal to every process of a pod's workloads, and then to its sandbox.
func (s *Service) killPod(p *pod, sandbox *entry, sig uint32) error {
	if sig == container.SIGKILL {
		s.close(p)
	}
	var errs []error
	for _, t := range s.workloads(p) {
		if err := t.KillAll(sig); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, sandbox.KillAll(sig))...)
}

// stopPod ends a pod: its workloads are asked to, and have the grace to do so.
func (s *Service) stopPod(ctx context.Context, p *pod, sandbox *entry, grace time.Duration) error {
	s.close(p)
	workloads := s.workloads(p)
	if grace > 0 {
		for _, t := range workloads {
			if err := t.Init.Kill(container.SIGTERM); err != nil && !errdefs.IsNotFound(err) {
				report(t.ID)("ask for the end", err) // it will be killed
			}
		}
		bounded, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if err := ended(bounded, workloads); err != nil && ctx.Err() != nil {
			return err
		}
	}
	var errs []error
	for _, t := range append(workloads, sandbox) {
		sig := uint32(container.SIGKILL)
		if t == sandbox && p.api {
			sig = container.SIGTERM // a stop is no failure: a stand-in that is asked to end ends with 0
		}
		if err := t.Init.Kill(sig); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, ended(ctx, append(workloads, sandbox)))...)
}

// ended waits until tasks have ended.
func ended(ctx context.Context, tasks []*entry) error {
	for _, t := range tasks {
		if _, err := t.Init.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close lets nothing start in a pod any more.
func (s *Service) close(p *pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.ending = true
}
