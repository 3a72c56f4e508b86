package service

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"
)

// Update changes limits of a task that has not stopped.
func (s *Service) Update(ctx context.Context, r *api.UpdateTaskRequest) (*empty, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	resources, err := windowsResources(r.Resources)
	if err != nil {
		return nil, fmt.Errorf("update task %s: %w", r.ID, err)
	}
	if err := t.CanUpdate(); err != nil {
		return nil, err
	}
	if err := t.Container().Update(ctx, resources, r.Annotations); err != nil {
		return nil, fmt.Errorf("update task %s: %w", r.ID, err)
	}
	return &empty{}, nil
}

// windowsResources decodes the resources that containerd's client sends: JSON under the type URL that it registers for the
// type of the OCI specification. See https://github.com/containerd/containerd/blob/main/core/runtime/typeurl.go.
func windowsResources(a *anypb.Any) (*specs.WindowsResources, error) {
	if a == nil {
		return nil, nil
	}
	if !strings.HasSuffix(a.TypeUrl, "/WindowsResources") {
		return nil, fmt.Errorf("resources are a %q, want WindowsResources of the OCI specification: %w", a.TypeUrl, errdefs.ErrInvalidArgument)
	}
	var r specs.WindowsResources
	if err := json.Unmarshal(a.Value, &r); err != nil {
		return nil, fmt.Errorf("resources are not windows.resources of the OCI specification: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	return &r, nil
}

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
