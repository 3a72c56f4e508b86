package shim

import (
	"context"
	"time"

	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
	"github.com/siloshim/siloshim/stats"
)

// Host makes the containers of this machine.
type Host interface {
	// Job makes a job container with no program in it, and writes down in the bundle what has to be given back should
	// this process die. Whatever it made is gone again when it fails.
	Job(ctx context.Context, namespace, id, bundle string, plan *spec.Job) (Container, error)
	// Server makes a Windows Server container that does not run yet, and writes down in the bundle what has to be
	// given back should this process die. Whatever it made is gone again when it fails, and the error names the step.
	Server(ctx context.Context, id, bundle string, plan *spec.Server) (Container, error)
}

// Container is what a [Host] makes.
type Container interface {
	task.Container
	// Program prepares a program of the container. The streams stay the caller's.
	Program(p *spec.Process, streams *stdio.Relay) task.Program
	// Processes lists every process inside. It returns when ctx ends at the latest, as Stats does. Both fail with
	// [errdefs.ErrUnavailable] at once while an earlier call of either hangs.
	Processes(ctx context.Context) ([]stats.Process, error)
	// Stats samples the container; started is when its init did, or zero. The sample is not older than the call.
	Stats(ctx context.Context, started time.Time) (stats.Sample, error)
}
