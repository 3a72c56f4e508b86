package shim

import (
	"context"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/task"
)

// kind is what a bundle asks for, planned: a job container, a Windows Server container or a sandbox without a process.
type kind struct {
	// init is the plan of the init process.
	init *plan.Process
	// exec plans another process.
	exec func(*specs.Process) (*plan.Process, error)
	// make makes the container. Whatever it made is gone again when it fails.
	make func(context.Context) (Container, error)
	// stop says how the processes are asked to end.
	stop task.Stop
}

// plan reads the bundle and decides what is to be made of it.
func (s *Service) plan(r *api.CreateTaskRequest, options bootstrap.Options) (*kind, error) {
	wanted, err := load(r.Bundle, options)
	if err != nil {
		return nil, err
	}
	stop, err := plan.NewStop(wanted.Annotations)
	if err != nil {
		return nil, err
	}
	if err := s.enroll(r.ID, r.Bundle, wanted); err != nil {
		return nil, err
	}
	var k *kind
	switch {
	case plan.IsStandIn(wanted):
		k, err = standInKind(), plan.StandIn(wanted)
	case plan.IsHostProcess(wanted):
		k, err = s.job(r, wanted)
	default:
		k, err = s.server(r, wanted)
	}
	if err != nil {
		return nil, err
	}
	k.stop = task.Stop(stop)
	return k, nil
}

// load reads the bundle's spec. The options' annotations are under its own.
func load(bundle string, options bootstrap.Options) (*specs.Spec, error) {
	s, err := plan.Load(bundle)
	if err != nil {
		return nil, err
	}
	for key, value := range options.DefaultAnnotations {
		if _, set := s.Annotations[key]; !set {
			if s.Annotations == nil {
				s.Annotations = map[string]string{}
			}
			s.Annotations[key] = value
		}
	}
	return s, nil
}

func (s *Service) job(r *api.CreateTaskRequest, wanted *specs.Spec) (*kind, error) {
	planned, err := s.config.Machine.HostProcess(r.ID, wanted, mounts(r))
	if err != nil {
		return nil, err
	}
	return &kind{
		init: &planned.Process,
		exec: func(p *specs.Process) (*plan.Process, error) { return planned.Exec(p) },
		make: func(ctx context.Context) (Container, error) {
			return s.config.Host.Job(ctx, s.config.Namespace, r.ID, r.Bundle, planned)
		},
	}, nil
}

func (s *Service) server(r *api.CreateTaskRequest, wanted *specs.Spec) (*kind, error) {
	planned, err := s.config.Machine.WCOW(r.ID, wanted, mounts(r))
	if err != nil {
		return nil, err
	}
	return &kind{
		init: &planned.Process,
		exec: planned.Exec,
		make: func(ctx context.Context) (Container, error) {
			return s.config.Host.Server(ctx, r.ID, r.Bundle, planned)
		},
	}, nil
}

// mounts are the root file system of a request as the spec writes mounts.
func mounts(r *api.CreateTaskRequest) []specs.Mount {
	var list []specs.Mount
	for _, m := range r.Rootfs {
		list = append(list, specs.Mount{Type: m.Type, Source: m.Source, Destination: m.Target, Options: m.Options})
	}
	return list
}

// bounded is a [Container] with bounds of its own.
type bounded interface{ Bounds() task.Bounds }

// bounds are the container's, or zero for the default.
func bounds(c Container) task.Bounds {
	if b, ok := c.(bounded); ok {
		return b.Bounds()
	}
	return task.Bounds{}
}
