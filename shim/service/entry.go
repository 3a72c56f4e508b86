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
	plan    *plan.Container
	options bootstrap.Options
}

// make plans and makes the container: a job container (Kubernetes: HostProcess), a Windows Server container or the
// placeholder of a sandbox. If it fails nothing is left.
func (s *Service) make(ctx context.Context, r *api.CreateTaskRequest, options bootstrap.Options) (container.Container, *plan.Container, error) {
	p, err := s.config.Machine.Container(plan.Request{
		ID: r.ID, Bundle: r.Bundle, Rootfs: mounts(r), Terminal: r.Terminal,
		Defaults: options.DefaultAnnotations, Join: s.pod.Join,
	})
	if err != nil {
		return nil, nil, err
	}
	var c container.Container
	switch {
	case p.HostProcess != nil:
		c, err = s.config.Engine.HostProcess(ctx, s.config.Namespace, r.ID, r.Bundle, p.HostProcess)
	case p.WCOW != nil:
		c, err = s.config.Engine.WCOW(ctx, r.ID, r.Bundle, p.WCOW)
	default:
		c = pod.NewPlaceholder()
	}
	return c, p, err
}

// mounts are the root file system of a request in the form of the spec.
func mounts(r *api.CreateTaskRequest) []specs.Mount {
	var list []specs.Mount
	for _, m := range r.Rootfs {
		list = append(list, specs.Mount{Type: m.Type, Source: m.Source, Destination: m.Target, Options: m.Options})
	}
	return list
}

// newEntry makes a task. c has its ids, its container and the receiver of its events.
func (s *Service) newEntry(c task.Config, p *plan.Container, options bootstrap.Options, relay *stdio.Relay, streams task.Stdio) *entry {
	c.Stop, c.Report, c.Exited = p.Stop, report(c.ID), logExit(c.ID)
	return &entry{task.New(c, c.Container.Process(p.Init, relay), relay, streams), p, options}
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
