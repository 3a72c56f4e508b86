package shim

import (
	"context"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/task"
)

// entry is a task with what an exec needs to know of the making of its container.
type entry struct {
	*task.Task
	container container.Container
	plan      execPlan
	options   bootstrap.Options
}

// execPlan plans another process in a container.
type execPlan interface {
	Exec(*specs.Process) (*plan.Process, error)
}

// made is a container with its plan.
type made struct {
	container.Container
	init *plan.Process
	plan execPlan
	stop plan.Stop // how its processes are asked to end
}

// make reads the bundle and makes what it asks for: a job container, a Windows Server container or a sandbox without a
// process. Whatever it made is gone again when it fails.
func (s *Service) make(ctx context.Context, r *api.CreateTaskRequest, options bootstrap.Options) (m made, err error) {
	wanted, err := load(r.Bundle, options)
	if err != nil {
		return m, err
	}
	if m.stop, err = plan.NewStop(wanted.Annotations); err != nil {
		return m, err
	}
	if err := s.enroll(r.ID, r.Bundle, wanted); err != nil {
		return m, err
	}
	switch {
	case plan.IsPlaceholder(wanted):
		p := newPlaceholder()
		m.Container, m.init, m.plan, err = p, &plan.Process{}, p, plan.CheckPlaceholder(wanted)
	case plan.IsHostProcess(wanted):
		var p *plan.HostProcess
		if p, err = s.config.Machine.HostProcess(r.ID, wanted, mounts(r)); err != nil {
			return m, err
		}
		m.init, m.plan = &p.Process, p
		m.Container, err = s.config.Engine.HostProcess(ctx, s.config.Namespace, r.ID, r.Bundle, p)
	default:
		var p *plan.WCOW
		if p, err = s.config.Machine.WCOW(r.ID, wanted, mounts(r)); err != nil {
			return m, err
		}
		m.init, m.plan = &p.Process, p
		m.Container, err = s.config.Engine.WCOW(ctx, r.ID, r.Bundle, p)
	}
	return m, err
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

// mounts are the root file system of a request as the spec writes mounts.
func mounts(r *api.CreateTaskRequest) []specs.Mount {
	var list []specs.Mount
	for _, m := range r.Rootfs {
		list = append(list, specs.Mount{Type: m.Type, Source: m.Source, Destination: m.Target, Options: m.Options})
	}
	return list
}
