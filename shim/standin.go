package shim

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
	"github.com/siloshim/siloshim/stats"
)

// standIn is the container of a sandbox that has no process: that of a pod of job containers, and any that the Sandbox
// API makes. Its one program is the shim itself in name, and lives until it is asked to end, in whatever way. All
// methods are safe for concurrent use.
type standIn struct {
	once  sync.Once // guards exit and the close of ended
	exit  uint32
	ended chan struct{}
}

var (
	_ Container    = (*standIn)(nil)
	_ task.Program = (*standIn)(nil)
	_ task.Pauser  = (*standIn)(nil)
)

// standInKind is the plan of a sandbox without a process.
func standInKind() *kind {
	return &kind{
		init: &spec.Process{},
		exec: func(*specs.Process) (*spec.Process, error) {
			return nil, fmt.Errorf("the sandbox has no process that another could join: "+
				"run it in one of the pod's containers: %w", errdefs.ErrNotImplemented)
		},
		make: func(context.Context) (Container, error) { return newStandIn(), nil },
	}
}

func newStandIn() *standIn { return &standIn{ended: make(chan struct{})} }

func (s *standIn) end(status uint32) {
	s.once.Do(func() {
		s.exit = status
		close(s.ended)
	})
}

// Start answers the pid of the shim: containerd takes a running task without a pid for one that is lost.
func (s *standIn) Start() (uint32, error) { return uint32(os.Getpid()), nil }

// Wait waits until somebody has asked for the end.
func (s *standIn) Wait(ctx context.Context) (uint32, error) {
	select {
	case <-s.ended:
		return s.exit, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Signal ends the program: with the status of what was killed, or of what was asked to end and did.
func (s *standIn) Signal(sig uint32) error {
	if sig == task.SIGKILL {
		s.end(task.Killed)
	} else {
		s.end(0)
	}
	return nil
}

// Resize does nothing: nobody looks.
func (s *standIn) Resize(uint32, uint32) error { return nil }

// Terminate ends the program.
func (s *standIn) Terminate(_ context.Context, status uint32) error {
	s.end(status)
	return nil
}

// Close has nothing to give back.
func (s *standIn) Close() error { return nil }

// Pause does nothing: there is nothing that runs.
func (s *standIn) Pause(context.Context) error { return nil }

// Resume does nothing.
func (s *standIn) Resume(context.Context) error { return nil }

// Pids are none of its own; see [Service.Pids].
func (s *standIn) Pids() ([]uint32, error) { return nil, nil }

// Processes are none of its own; see [Service.Pids].
func (s *standIn) Processes(context.Context) ([]stats.Process, error) { return nil, nil }

// Program is the stand-in itself. Nothing is written to the streams.
func (s *standIn) Program(*spec.Process, *stdio.Relay) task.Program { return s }

// Stats are those of a container that uses nothing: containerd adds the workloads' to them.
func (s *standIn) Stats(_ context.Context, started time.Time) (stats.Sample, error) {
	return stats.Idle(time.Now(), started), nil
}
