package shim

import (
	"context"
	"time"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	"google.golang.org/protobuf/proto"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
)

// Host makes the containers of this machine.
type Host interface {
	// Job makes a job container with no program in it, and writes down in the bundle what has to be given back should
	// this process die. Whatever it made is gone again when it fails.
	Job(ctx context.Context, namespace, id, bundle string, planned *plan.HostProcess) (Container, error)
	// Server makes a Windows Server container that does not run yet, and writes down in the bundle what has to be
	// given back should this process die. Whatever it made is gone again when it fails, and the error names the step.
	Server(ctx context.Context, id, bundle string, planned *plan.WCOW) (Container, error)
}

// Container is what a [Host] makes.
type Container interface {
	task.Container
	// Program prepares a program of the container. The streams stay the caller's.
	Program(p *plan.Process, streams *stdio.Relay) task.Program
	// Processes lists every process inside, without exec ids.
	Processes() ([]*options.ProcessDetails, error)
	// Stats samples the container; started is when its init did, or zero.
	Stats(started time.Time) proto.Message
}
