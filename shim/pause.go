package shim

import (
	"context"

	api "github.com/containerd/containerd/api/runtime/task/v3"

	"github.com/siloshim/siloshim/shim/task"
)

// Pause stops every process of a task without ending any.
func (s *Service) Pause(ctx context.Context, r *api.PauseRequest) (*empty, error) {
	return s.hold(ctx, r.ID, (*task.Task).Pause)
}

// Resume lets the processes of a paused task go on.
func (s *Service) Resume(ctx context.Context, r *api.ResumeRequest) (*empty, error) {
	return s.hold(ctx, r.ID, (*task.Task).Resume)
}

func (s *Service) hold(ctx context.Context, id string, act func(*task.Task, context.Context) error) (*empty, error) {
	t, err := s.task(id)
	if err != nil {
		return nil, err
	}
	if err := act(t, ctx); err != nil {
		return nil, err
	}
	return &empty{}, nil
}

// Pause implements [task.Pauser].
func (h hosted) Pause(ctx context.Context) error {
	if p, ok := h.Container.(task.Pauser); ok {
		return p.Pause(ctx)
	}
	return notImplemented("pause")
}

// Stop implements [task.Stopper]. A container whose processes cannot be asked is terminated at once.
func (h hosted) Stop(ctx context.Context, sig uint32) error {
	if s, ok := h.Container.(task.Stopper); ok {
		return s.Stop(ctx, sig)
	}
	return nil
}

// Resume implements [task.Pauser].
func (h hosted) Resume(ctx context.Context) error {
	if p, ok := h.Container.(task.Pauser); ok {
		return p.Resume(ctx)
	}
	return notImplemented("resume")
}
