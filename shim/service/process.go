package service

import (
	"context"
	"fmt"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/shim/task"
)

// Start launches init or an exec and answers its pid.
func (s *Service) Start(ctx context.Context, r *api.StartRequest) (*api.StartResponse, error) {
	_, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	if r.ExecID == "" {
		if err := s.mayStart(r.ID); err != nil {
			return nil, fmt.Errorf("start %s: %w", p, err)
		}
	}
	pid, err := p.Start(ctx)
	if err != nil {
		return nil, err
	}
	return &api.StartResponse{Pid: pid}, nil
}

// State tells where a process stands.
func (s *Service) State(_ context.Context, r *api.StateRequest) (*api.StateResponse, error) {
	t, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	now := p.Status()
	answer := &api.StateResponse{
		ID: t.ID, ExecID: p.ID, Bundle: t.Bundle,
		Pid: now.Pid, Status: wire[now.State], ExitStatus: now.Exit,
		Stdin: p.Stdio.Stdin, Stdout: p.Stdio.Stdout, Stderr: p.Stdio.Stderr, Terminal: p.Stdio.Terminal,
	}
	if !now.ExitedAt.IsZero() {
		answer.ExitedAt = timestamppb.New(now.ExitedAt)
	}
	return answer, nil
}

// wire are the states as the API spells them.
var wire = [...]types.Status{
	task.Created:  types.Status_CREATED,
	task.Starting: types.Status_CREATED,
	task.Running:  types.Status_RUNNING,
	task.Paused:   types.Status_PAUSED,
	task.Stopped:  types.Status_STOPPED,
	task.Deleted:  types.Status_STOPPED,
}

// Wait answers once the process has stopped and its output has been delivered.
func (s *Service) Wait(ctx context.Context, r *api.WaitRequest) (*api.WaitResponse, error) {
	_, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	end, err := p.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return &api.WaitResponse{ExitStatus: end.Exit, ExitedAt: timestamppb.New(end.ExitedAt)}, nil
}

// Kill sends a signal to a process, or with All to every process of the task; a sandbox's are those of its pod. It
// answers promptly: what the system takes longer over goes on, and the log has how it ended.
func (s *Service) Kill(ctx context.Context, r *api.KillRequest) (*empty, error) {
	if r.All && r.ExecID != "" {
		return nil, refuseAll(r)
	}
	t, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	return &empty{}, soon(ctx, func() error {
		if pod := s.podOf(r.ID); r.All && pod != nil {
			return s.killPod(pod, t, r.Signal)
		}
		if r.All {
			return t.KillAll(r.Signal)
		}
		return p.Kill(r.Signal)
	})
}

// Delete forgets a stopped process; init's task goes with it.
func (s *Service) Delete(ctx context.Context, r *api.DeleteRequest) (*api.DeleteResponse, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	if p := s.podOf(r.ID); p != nil && p.api {
		return nil, fmt.Errorf("delete sandbox %s: ShutdownSandbox does: %w", r.ID, errdefs.ErrFailedPrecondition)
	}
	end, err := s.remove(ctx, t, r.ExecID)
	if err != nil {
		return nil, err
	}
	answer := &api.DeleteResponse{Pid: end.Pid, ExitStatus: end.Exit}
	if !end.ExitedAt.IsZero() {
		answer.ExitedAt = timestamppb.New(end.ExitedAt)
	}
	return answer, nil
}

// remove deletes a process, and lets go of the task with its init.
func (s *Service) remove(ctx context.Context, t *entry, execID string) (task.Status, error) {
	end, err := t.Delete(ctx, execID)
	if execID == "" && t.Init.Status().State == task.Deleted {
		if err == nil || s.podOf(t.ID) != nil {
			s.forget(t.ID) // or else `delete` has something left to do
		}
		s.free(t.ID)
	}
	return end, err
}

// CloseIO ends a process's input after what the client has sent.
func (s *Service) CloseIO(_ context.Context, r *api.CloseIORequest) (*empty, error) {
	_, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	if r.Stdin {
		p.CloseStdin()
	}
	return &empty{}, nil
}

// ResizePty sets the size of a process's console.
func (s *Service) ResizePty(ctx context.Context, r *api.ResizePtyRequest) (*empty, error) {
	_, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	return &empty{}, p.Resize(ctx, r.Width, r.Height)
}
