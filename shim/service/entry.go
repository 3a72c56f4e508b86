package service

import (
	"context"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/log"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/pod"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
)

// entry is a task and what an exec needs from the creation of its container.
type entry struct {
	*task.Task
	plan    execPlan
	options bootstrap.Options
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
	stop plan.Stop
}

// make reads the bundle and makes the container: a job container (Kubernetes: HostProcess), a Windows Server container or
// the placeholder of a sandbox. If it fails nothing is left.
func (s *Service) make(ctx context.Context, r *api.CreateTaskRequest, options bootstrap.Options) (m made, err error) {
	spec, err := load(r.Bundle, options)
	if err != nil {
		return m, err
	}
	if m.stop, err = plan.NewStop(spec.Annotations); err != nil {
		return m, err
	}
	if err := s.pod.Join(r.ID, r.Bundle, spec); err != nil {
		return m, err
	}
	switch {
	case plan.IsPlaceholder(spec):
		placeholder := newPlaceholder()
		placeholder.stop = m.stop
		return placeholder, plan.CheckPlaceholder(spec)
	case plan.IsHostProcess(spec):
		var p *plan.HostProcess
		if p, err = s.config.Machine.HostProcess(r.ID, spec, mounts(r)); err != nil {
			return m, err
		}
		m.init, m.plan = &p.Process, p
		m.Container, err = s.config.Engine.HostProcess(ctx, s.config.Namespace, r.ID, r.Bundle, p)
	default:
		var p *plan.WCOW
		if p, err = s.config.Machine.WCOW(r.ID, spec, mounts(r)); err != nil {
			return m, err
		}
		m.init, m.plan = &p.Process, p
		m.Container, err = s.config.Engine.WCOW(ctx, r.ID, r.Bundle, p)
	}
	return m, err
}

func newPlaceholder() made {
	p := pod.NewPlaceholder()
	return made{Container: p, init: &plan.Process{}, plan: p}
}

// load reads the bundle's spec. The options' annotations apply where the spec has none of that key.
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

// mounts are the root file system of a request in the form of the spec.
func mounts(r *api.CreateTaskRequest) []specs.Mount {
	var list []specs.Mount
	for _, m := range r.Rootfs {
		list = append(list, specs.Mount{Type: m.Type, Source: m.Source, Destination: m.Target, Options: m.Options})
	}
	return list
}

// newEntry makes the task of a container. The events of a sandbox that the Sandbox API created are not published.
func (s *Service) newEntry(id, bundle string, m made, options bootstrap.Options, relay *stdio.Relay, streams task.Stdio) *entry {
	emit := s.config.Emit
	if p := s.pod.Of(id); p != nil && p.SandboxAPI {
		emit = func(any) {}
	}
	t := task.New(task.Config{
		ID: id, Bundle: bundle, Container: m.Container, Stop: task.Stop(m.stop),
		Emit: emit, Report: report(id), Exited: logExit(id),
	}, m.Process(m.init, relay), relay, streams)
	return &entry{t, m.plan, options}
}

// open opens the streams of a process of task id.
func (s *Service) open(ctx context.Context, id string, streams task.Stdio, options bootstrap.Options) (*stdio.Relay, error) {
	return stdio.Open(ctx, stdio.Config{
		Stdin: streams.Stdin, Stdout: streams.Stdout, Stderr: streams.Stderr, Terminal: streams.Terminal,
		Retry: options.IORetryTimeout, ID: id, Namespace: s.config.Namespace,
		Log: log.L.WithField(logfield.ContainerID, id),
	})
}

// reasonField is the key of the reason of an exit in the log.
const reasonField = "reason"

// logExit logs the exits of a task: those without a particular reason at the debug level.
func logExit(id string) func(*task.Process, task.Status) {
	return func(p *task.Process, s task.Status) {
		level := log.InfoLevel
		if s.Reason == task.ReasonExited {
			level = log.DebugLevel
		}
		fields := log.Fields{
			logfield.ContainerID: id, logfield.Pid: s.Pid, logfield.Status: s.Exit, reasonField: s.Reason.String(),
		}
		if p.ID != "" {
			fields[logfield.ExecID] = p.ID
		}
		log.L.WithFields(fields).Log(level, "process has ended")
	}
}
