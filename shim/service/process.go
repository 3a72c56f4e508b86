package service

import (
	"context"
	"fmt"
	"os"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/shim/task"
)

var _ api.TTRPCTaskService = (*Service)(nil)

// Start starts init or an exec and returns its pid.
func (s *Service) Start(ctx context.Context, r *api.StartRequest) (*api.StartResponse, error) {
	_, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	if r.ExecID == "" {
		if err := s.pod.CheckStart(r.ID); err != nil {
			return nil, fmt.Errorf("start %s: %w", p, err)
		}
	}
	pid, err := p.Start(ctx)
	if err != nil {
		return nil, err
	}
	return &api.StartResponse{Pid: pid}, nil
}

// State returns the state of a process.
func (s *Service) State(_ context.Context, r *api.StateRequest) (*api.StateResponse, error) {
	t, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	now := p.Status()
	return &api.StateResponse{
		ID: t.ID, ExecID: p.ID, Bundle: t.Bundle,
		Pid: now.Pid, Status: wireStates[now.State], ExitStatus: now.Exit, ExitedAt: task.Timestamp(now.ExitedAt),
		Stdin: p.Stdio.Stdin, Stdout: p.Stdio.Stdout, Stderr: p.Stdio.Stderr, Terminal: p.Stdio.Terminal,
	}, nil
}

// wireStates are the states in the API.
var wireStates = [...]types.Status{
	task.Created:  types.Status_CREATED,
	task.Starting: types.Status_CREATED,
	task.Running:  types.Status_RUNNING,
	task.Paused:   types.Status_PAUSED,
	task.Stopped:  types.Status_STOPPED,
	task.Deleted:  types.Status_STOPPED,
}

// Wait returns once the process has stopped and its output has been delivered.
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

// Kill sends a signal to a process, or with All to every process of the task; those of a sandbox are those of its pod. It
// returns promptly: a signal that takes longer goes on, and the log has its failure.
func (s *Service) Kill(ctx context.Context, r *api.KillRequest) (*empty, error) {
	if r.All && r.ExecID != "" {
		return nil, fmt.Errorf("kill task %s: all and exec_id %q exclude each other: %w", r.ID, r.ExecID, errdefs.ErrFailedPrecondition)
	}
	t, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	return &empty{}, detachAfterPrompt(ctx, "Kill", func() error {
		if pod := s.pod.Of(r.ID); r.All && pod != nil {
			return pod.Kill(r.Signal)
		}
		if r.All {
			return t.KillAll(r.Signal)
		}
		return p.Kill(r.Signal)
	})
}

// Delete removes a stopped process. With init it removes the task and its container.
func (s *Service) Delete(ctx context.Context, r *api.DeleteRequest) (*api.DeleteResponse, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	if p := s.pod.Of(r.ID); p != nil && p.SandboxAPI {
		return nil, fmt.Errorf("delete sandbox %s: use ShutdownSandbox: %w", r.ID, errdefs.ErrFailedPrecondition)
	}
	end, err := s.remove(ctx, t.Task, r.ExecID)
	if err != nil {
		return nil, err
	}
	return &api.DeleteResponse{Pid: end.Pid, ExitStatus: end.Exit, ExitedAt: task.Timestamp(end.ExitedAt)}, nil
}

// remove deletes a process, and with init releases the id of the task.
func (s *Service) remove(ctx context.Context, t *task.Task, execID string) (task.Status, error) {
	end, err := t.Delete(ctx, execID)
	if execID == "" && t.Init.Status().State == task.Deleted {
		if err == nil || s.pod.Of(t.ID) != nil {
			s.removeRecord(t.ID) // otherwise `delete` removes what is left
		}
		s.release(t.ID)
	}
	return end, err
}

// CloseIO ends the stdin of a process after what the client has sent.
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

// Connect returns the pids of the shim and of the task's init. It does not fail without a task.
func (s *Service) Connect(_ context.Context, r *api.ConnectRequest) (*api.ConnectResponse, error) {
	answer := &api.ConnectResponse{ShimPid: uint32(os.Getpid())}
	if t, err := s.task(r.ID); err == nil {
		answer.TaskPid = t.Init.Status().Pid
	}
	return answer, nil
}
