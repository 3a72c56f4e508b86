package service

import (
	"context"

	api "github.com/containerd/containerd/api/runtime/task/v3"
)

// Pause stops every process of a task without ending any.
func (s *Service) Pause(ctx context.Context, r *api.PauseRequest) (*empty, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	return &empty{}, t.Pause(ctx)
}

// Resume lets the processes of a paused task go on.
func (s *Service) Resume(ctx context.Context, r *api.ResumeRequest) (*empty, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	return &empty{}, t.Resume(ctx)
}
