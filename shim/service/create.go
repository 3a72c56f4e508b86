package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
)

type empty = emptypb.Empty

// Create makes a task from the bundle's config.json. Nothing of it is left when it fails.
func (s *Service) Create(ctx context.Context, r *api.CreateTaskRequest) (*api.CreateTaskResponse, error) {
	if err := plan.ValidID(r.ID); err != nil {
		return nil, err
	}
	if err := s.reserve(r.ID); err != nil {
		return nil, err
	}
	t, err := s.create(ctx, r)
	if err != nil {
		s.forget(r.ID)
		s.unfound(r.ID)
		s.free(r.ID)
		return nil, fmt.Errorf("create task %s: %w", r.ID, err)
	}
	s.config.Emit(&events.TaskCreate{
		ContainerID: r.ID, Bundle: r.Bundle, Rootfs: r.Rootfs, Checkpoint: r.Checkpoint,
		IO: &events.TaskIO{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal},
	})
	if err := s.settle(t); err != nil {
		_, failed := s.remove(ctx, t, "")
		return nil, fmt.Errorf("create task %s: %w", r.ID, errors.Join(err, failed))
	}
	return &api.CreateTaskResponse{}, nil
}

func (s *Service) create(ctx context.Context, r *api.CreateTaskRequest) (*entry, error) {
	options, err := bootstrap.DecodeOptions(r.Options)
	if err != nil {
		return nil, err
	}
	// The container comes first: where it is not implemented containerd asks again by the older API, and the client's
	// streams, once opened and closed, would be gone; then it would report that instead.
	m, err := s.make(ctx, r, options)
	if err != nil {
		return nil, err
	}
	streams := task.Stdio{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal}
	relay, err := s.open(ctx, r.ID, streams, options)
	if err != nil {
		return nil, errors.Join(err, m.Terminate(ctx, container.Killed), m.Close())
	}
	m.init.Terminal = r.Terminal
	t := s.newEntry(r.ID, r.Bundle, m, options, relay, streams)
	m.Watch(t.Notice)
	return t, nil
}

// newEntry makes a task of what it is to have. One that the Sandbox API made is not announced.
func (s *Service) newEntry(id, bundle string, m made, options bootstrap.Options, relay *stdio.Relay, streams task.Stdio) *entry {
	emit := s.config.Emit
	if p := s.podOf(id); p != nil && p.api {
		emit = func(any) {}
	}
	t := task.New(task.Config{
		ID: id, Bundle: bundle, Container: m.Container, Stop: task.Stop(m.stop),
		Emit: emit, Report: report(id), Exited: exited(id),
	}, m.Process(m.init, relay), relay, streams)
	return &entry{t, m.Container, m.plan, options}
}

func (s *Service) open(ctx context.Context, id string, at task.Stdio, options bootstrap.Options) (*stdio.Relay, error) {
	return stdio.Open(ctx, stdio.Config{
		Stdin: at.Stdin, Stdout: at.Stdout, Stderr: at.Stderr, Terminal: at.Terminal, Retry: options.IORetryTimeout,
		ID: id, Namespace: s.config.Namespace,
		Log: log.L.WithField(logfield.ContainerID, id),
	})
}

// Exec adds a process to a running task.
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
	var wanted specs.Process
	if err := json.Unmarshal(r.GetSpec().GetValue(), &wanted); err != nil {
		return fmt.Errorf("spec is not an OCI process: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	process, err := t.plan.Exec(&wanted)
	if err != nil {
		return err
	}
	process.Terminal = r.Terminal
	streams := task.Stdio{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal}
	relay, err := s.open(ctx, t.ID, streams, t.options)
	if err != nil {
		return err
	}
	if err := t.Exec(r.ExecID, t.container.Process(process, relay), relay, streams); err != nil {
		return errors.Join(err, relay.Close())
	}
	return nil
}

// undoCreate, undoStart and undoExec take back what came about after its request was answered as overdue: its client
// was told that there is nothing.
func (s *Service) undoCreate(r *api.CreateTaskRequest) {
	t, err := s.task(r.ID)
	if err == nil {
		_, err = s.remove(context.Background(), t, "")
	}
	s.undone(r.ID, err)
}

func (s *Service) undoStart(r *api.StartRequest) {
	_, p, err := s.process(r.ID, r.ExecID)
	if err == nil {
		err = p.Kill(container.SIGKILL)
	}
	s.undone(r.ID, err)
}

func (s *Service) undoExec(r *api.ExecProcessRequest) {
	t, err := s.task(r.ID)
	if err == nil {
		_, err = t.Delete(context.Background(), r.ExecID)
	}
	s.undone(r.ID, err)
}

// undone logs it. What is gone already needs no undoing.
func (s *Service) undone(id string, err error) {
	if err != nil && !errdefs.IsNotFound(err) {
		report(id)("undo a request that was overdue", err)
	}
}
