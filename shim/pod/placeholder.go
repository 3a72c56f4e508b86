package service

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/stats"
)

// placeholder is the container of a sandbox that has no process: that of a pod of job containers, and any that the
// Sandbox API makes. Its one process is the shim itself in name, and lives until a signal or Terminate. All methods are
// safe for concurrent use.
type placeholder struct {
	once  sync.Once // guards exit and the close of ended
	exit  uint32
	ended chan struct{}
}

var _ container.Container = (*placeholder)(nil)

func newPlaceholder() *placeholder { return &placeholder{ended: make(chan struct{})} }

func (s *placeholder) end(status uint32) {
	s.once.Do(func() {
		s.exit = status
		close(s.ended)
	})
}

// Exec refuses every process.
func (s *placeholder) Exec(*specs.Process) (*plan.Process, error) {
	return nil, fmt.Errorf("the sandbox has no process that another could join: "+
		"run it in one of the pod's containers: %w", errdefs.ErrNotImplemented)
}

// Process is the process of the placeholder. Nothing is written to the streams.
func (s *placeholder) Process(*plan.Process, container.Streams) container.Process {
	return placeholderProcess{s}
}

// Processes are none of its own; see [Service.Pids].
func (s *placeholder) Processes(context.Context) ([]stats.Process, error) { return nil, nil }

// Stats are those of a container that uses nothing: containerd adds the workloads' to them.
func (s *placeholder) Stats(_ context.Context, started time.Time) (stats.Sample, error) {
	return stats.Idle(time.Now(), started), nil
}

// Update is refused: there is nothing to limit.
func (s *placeholder) Update(context.Context, *specs.WindowsResources, map[string]string) error {
	return container.ErrUnsupported
}

// Status is empty.
func (s *placeholder) Status() container.Status { return container.Status{} }

// Watch reports nothing.
func (s *placeholder) Watch(func(container.Notice)) {}

// Pause does nothing: there is nothing that runs.
func (s *placeholder) Pause(context.Context) error { return nil }

// Resume does nothing.
func (s *placeholder) Resume(context.Context) error { return nil }

// Stop ends the process.
func (s *placeholder) Stop(context.Context, uint32) error {
	s.end(0)
	return nil
}

// Terminate ends the process.
func (s *placeholder) Terminate(_ context.Context, status uint32) error {
	s.end(status)
	return nil
}

// TerminateTimeout is never needed.
func (s *placeholder) TerminateTimeout() time.Duration { return time.Second }

// Close has nothing to give back.
func (s *placeholder) Close() error { return nil }

// placeholderProcess is the one process of a placeholder.
type placeholderProcess struct{ *placeholder }

// Start answers the pid of the shim: containerd takes a running task without a pid for one that is lost.
func (s placeholderProcess) Start(context.Context) (uint32, error) { return uint32(os.Getpid()), nil }

// Wait waits until a signal or Terminate.
func (s placeholderProcess) Wait(ctx context.Context) (uint32, error) {
	select {
	case <-s.ended:
		return s.exit, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Signal ends the process: with the status of what was killed, or of what was asked to end and did.
func (s placeholderProcess) Signal(_ context.Context, sig uint32) error {
	if sig == container.SIGKILL {
		s.end(container.Killed)
	} else {
		s.end(0)
	}
	return nil
}

// Resize does nothing: it has no console.
func (s placeholderProcess) Resize(context.Context, uint32, uint32) error { return nil }
