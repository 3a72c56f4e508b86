package service

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	api "github.com/containerd/containerd/api/runtime/sandbox/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/pod"
	"github.com/siloshim/siloshim/shim/task"
)

var _ api.TTRPCSandboxService = (*Service)(nil)

// CreateSandbox makes this the shim of a pod. The sandbox has no process; Windows Server containers join the network
// namespace that the request names. Containerd also looks for the sandbox in the Task API: it is a task there, without
// events.
func (s *Service) CreateSandbox(ctx context.Context, r *api.CreateSandboxRequest) (*api.CreateSandboxResponse, error) {
	if err := plan.ValidID(r.SandboxID); err != nil {
		return nil, err
	}
	if err := s.createSandbox(ctx, r); err != nil {
		return nil, fmt.Errorf("create sandbox %s: %w", r.SandboxID, err)
	}
	return &api.CreateSandboxResponse{}, nil
}

func (s *Service) createSandbox(ctx context.Context, r *api.CreateSandboxRequest) error {
	p, err := pod.FromRequest(r, s.config.Options.DefaultAnnotations)
	if err != nil {
		return err
	}
	if err := s.reserve(p.ID); err != nil {
		return err
	}
	if err := s.pod.Set(p); err != nil {
		s.release(p.ID)
		return err
	}
	relay, err := s.open(ctx, p.ID, task.Stdio{}, s.config.Options)
	if err != nil {
		s.pod.Clear(p.ID)
		s.release(p.ID)
		return err
	}
	silent := task.Config{ID: p.ID, Bundle: p.Bundle, Container: pod.NewPlaceholder(), Emit: func(any) {}}
	return s.publish(s.newEntry(silent, plan.Placeholder(), s.config.Options, relay, task.Stdio{}))
}

// errNoSandbox is returned before a sandbox was created.
var errNoSandbox = fmt.Errorf("the shim has none: %w", errdefs.ErrNotFound)

// sandbox finds the pod of this shim and its sandbox, or fails with [errdefs.ErrNotFound].
func (s *Service) sandbox(id string) (*pod.Pod, *task.Task, error) {
	p := s.pod.Get()
	switch {
	case p == nil:
		return nil, nil, fmt.Errorf("sandbox %s: %w", id, errNoSandbox)
	case p.ID != id:
		return nil, nil, fmt.Errorf("sandbox %s: this is the shim of sandbox %s: %w", id, p.ID, errdefs.ErrNotFound)
	}
	t, err := s.task(id)
	if err != nil {
		return nil, nil, fmt.Errorf("sandbox %s: %w", id, errdefs.ErrNotFound)
	}
	return p, t.Task, nil
}

// StartSandbox starts the sandbox, so that workloads can be created. It fails with [errdefs.ErrFailedPrecondition] before
// CreateSandbox.
func (s *Service) StartSandbox(ctx context.Context, r *api.StartSandboxRequest) (*api.StartSandboxResponse, error) {
	p, t, err := s.sandbox(r.SandboxID)
	if errors.Is(err, errNoSandbox) {
		err = fmt.Errorf("start sandbox %s: create it first: %w", r.SandboxID, errdefs.ErrFailedPrecondition)
	}
	if err != nil {
		return nil, err
	}
	pid, err := t.Init.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", r.SandboxID, err)
	}
	return &api.StartSandboxResponse{Pid: pid, CreatedAt: p.CreatedAt()}, nil
}

// StopSandbox ends the pod and returns when all its tasks have ended. The workloads get SIGTERM and have the request's
// timeout to end; then they are killed. It may be called again.
func (s *Service) StopSandbox(ctx context.Context, r *api.StopSandboxRequest) (*api.StopSandboxResponse, error) {
	p, _, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	if err := p.Stop(ctx, time.Duration(r.TimeoutSecs)*time.Second); err != nil {
		return nil, fmt.Errorf("stop sandbox %s: %w", r.SandboxID, err)
	}
	return &api.StopSandboxResponse{}, nil
}

// ShutdownSandbox kills the pod, deletes its tasks and ends the shim. Without a sandbox it ends the shim: containerd
// requests that after a CreateSandbox that has failed.
func (s *Service) ShutdownSandbox(ctx context.Context, r *api.ShutdownSandboxRequest) (*api.ShutdownSandboxResponse, error) {
	p, sandbox, err := s.sandbox(r.SandboxID)
	if err != nil && s.endIfEmpty(r.SandboxID) {
		return &api.ShutdownSandboxResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := p.Stop(ctx, 0); err != nil {
		return nil, fmt.Errorf("shut down sandbox %s: %w", r.SandboxID, err)
	}
	var errs []error
	for _, t := range append(p.Workloads(), sandbox) {
		if _, err := s.remove(ctx, t, ""); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, err) // `delete` removes what is left
		}
	}
	s.endIfEmpty(r.SandboxID) // a workload that is being created ends the shim later
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("shut down sandbox %s: %w", r.SandboxID, err)
	}
	return &api.ShutdownSandboxResponse{}, nil
}

// UpdateSandbox returns [errdefs.ErrNotImplemented], which containerd accepts: on Windows a pod has no limits.
func (s *Service) UpdateSandbox(context.Context, *api.UpdateSandboxRequest) (*api.UpdateSandboxResponse, error) {
	return nil, fmt.Errorf("update of a sandbox: %w", errdefs.ErrNotImplemented)
}

// Platform returns the platform that the pod's images must have, which is the host's.
func (s *Service) Platform(_ context.Context, r *api.PlatformRequest) (*api.PlatformResponse, error) {
	if _, _, err := s.sandbox(r.SandboxID); err != nil {
		return nil, err
	}
	return &api.PlatformResponse{Platform: &types.Platform{OS: "windows", Architecture: runtime.GOARCH, OSVersion: osVersion()}}, nil
}

// WaitSandbox returns once the sandbox has ended: with status 0 if it was stopped, and 137 if it was killed.
func (s *Service) WaitSandbox(ctx context.Context, r *api.WaitSandboxRequest) (*api.WaitSandboxResponse, error) {
	_, t, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	end, err := t.Init.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return &api.WaitSandboxResponse{ExitStatus: end.Exit, ExitedAt: timestamppb.New(end.ExitedAt)}, nil
}

// PingSandbox fails with [errdefs.ErrFailedPrecondition] unless the sandbox runs.
func (s *Service) PingSandbox(_ context.Context, r *api.PingRequest) (*api.PingResponse, error) {
	_, t, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	if state := t.Init.Status().State; state != task.Running {
		return nil, fmt.Errorf("sandbox %s is %s: %w", r.SandboxID, state, errdefs.ErrFailedPrecondition)
	}
	return &api.PingResponse{}, nil
}

// SandboxStatus returns the state of the sandbox and, if verbose, what is in the pod.
func (s *Service) SandboxStatus(_ context.Context, r *api.SandboxStatusRequest) (*api.SandboxStatusResponse, error) {
	p, _, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	return p.Status(r.Verbose)
}

// SandboxMetrics returns the sum of the statistics of the pod's containers.
func (s *Service) SandboxMetrics(ctx context.Context, r *api.SandboxMetricsRequest) (*api.SandboxMetricsResponse, error) {
	p, _, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	m, err := p.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	return &api.SandboxMetricsResponse{Metrics: m}, nil
}
