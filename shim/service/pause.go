package service

import (
	"context"
	"fmt"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
)

// Pause suspends every process of a task.
func (s *Service) Pause(ctx context.Context, r *api.PauseRequest) (*empty, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	return &empty{}, t.Pause(ctx)
}

// Resume resumes the processes of a paused task.
func (s *Service) Resume(ctx context.Context, r *api.ResumeRequest) (*empty, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	return &empty{}, t.Resume(ctx)
}

// Checkpoint returns [errdefs.ErrNotImplemented]: Windows has no checkpoints of processes.
func (s *Service) Checkpoint(context.Context, *api.CheckpointTaskRequest) (*empty, error) {
	return nil, fmt.Errorf("checkpoint of a task: %w", errdefs.ErrNotImplemented)
}
