package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/task"
)

// Create makes a task from the bundle's config.json. If it fails nothing is left.
func (s *Service) Create(ctx context.Context, r *api.CreateTaskRequest) (*api.CreateTaskResponse, error) {
	if err := s.reserve(r.ID); err != nil {
		return nil, err
	}
	t, err := s.create(ctx, r)
	if err != nil {
		s.removeRecord(r.ID)
		s.pod.Clear(r.ID)
		s.release(r.ID)
		return nil, fmt.Errorf("create task %s: %w", r.ID, err)
	}
	s.config.Emit(&events.TaskCreate{
		ContainerID: r.ID, Bundle: r.Bundle, Rootfs: r.Rootfs, Checkpoint: r.Checkpoint,
		IO: &events.TaskIO{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal},
	})
	if err := s.publish(t); err != nil {
		_, failed := s.remove(ctx, t.Task, "")
		return nil, fmt.Errorf("create task %s: %w", r.ID, errors.Join(err, failed))
	}
	return &api.CreateTaskResponse{}, nil
}

func (s *Service) create(ctx context.Context, r *api.CreateTaskRequest) (*entry, error) {
	options, err := bootstrap.DecodeOptions(r.Options)
	if err != nil {
		return nil, err
	}
	// The container is made before the streams are opened. If the container is not implemented containerd repeats the
	// request by the older API, and the client's streams can be opened only once.
	c, p, err := s.make(ctx, r, options)
	if err != nil {
		return nil, err
	}
	streams := task.Stdio{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal}
	relay, err := s.open(ctx, r.ID, streams, options)
	if err != nil {
		return nil, errors.Join(err, c.Terminate(ctx, container.Killed), c.Close())
	}
	return s.newEntry(task.Config{ID: r.ID, Bundle: r.Bundle, Container: c, Emit: s.config.Emit}, p, options, relay, streams), nil
}

// Exec adds a process to a running task. It does not start the process.
func (s *Service) Exec(ctx context.Context, r *api.ExecProcessRequest) (*empty, error) {
	if err := plan.ValidID(r.ExecID); err != nil {
		return nil, err
	}
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	if err := t.CanExec(r.ExecID); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, t, r); err != nil {
		return nil, fmt.Errorf("exec %s in task %s: %w", r.ExecID, r.ID, err)
	}
	return &empty{}, nil
}

func (s *Service) exec(ctx context.Context, t *entry, r *api.ExecProcessRequest) error {
	var spec specs.Process
	if err := json.Unmarshal(r.GetSpec().GetValue(), &spec); err != nil {
		return fmt.Errorf("spec is not an OCI process: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	process, err := t.plan.Exec(&spec)
	if err != nil {
		return err
	}
	process.Terminal = r.Terminal
	streams := task.Stdio{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal}
	relay, err := s.open(ctx, t.ID, streams, t.options)
	if err != nil {
		return err
	}
	if err := t.Exec(r.ExecID, t.Container().Process(process, relay), relay, streams); err != nil {
		return errors.Join(err, relay.Close())
	}
	return nil
}

// undoCreate, undoStart and undoExec revert a call that has succeeded after its request had timed out: to its client
// there is no such task or process.
func (s *Service) undoCreate(r *api.CreateTaskRequest) {
	t, err := s.task(r.ID)
	if err == nil {
		_, err = s.remove(context.Background(), t.Task, "")
	}
	logUndo(r.ID, err)
}

func (s *Service) undoStart(r *api.StartRequest) {
	_, p, err := s.process(r.ID, r.ExecID)
	if err == nil {
		err = p.Kill(container.SIGKILL)
	}
	logUndo(r.ID, err)
}

func (s *Service) undoExec(r *api.ExecProcessRequest) {
	t, err := s.task(r.ID)
	if err == nil {
		_, err = t.Delete(context.Background(), r.ExecID)
	}
	logUndo(r.ID, err)
}

// logUndo logs the failure of an undo. A task or process that was removed meanwhile is none.
func logUndo(id string, err error) {
	if err != nil && !errdefs.IsNotFound(err) {
		report(id)("undo a request that has timed out", err)
	}
}
