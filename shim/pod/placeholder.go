package pod

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/stats"
)

// Placeholder is the container of a sandbox without a process. Its one process has the pid of the shim, and runs until a
// signal or Terminate. All methods are safe for concurrent use.
type Placeholder struct {
	once  sync.Once // guards exit and the close of ended
	exit  uint32
	ended chan struct{}
}

var _ container.Container = (*Placeholder)(nil)

// NewPlaceholder makes a placeholder, which need not be closed.
func NewPlaceholder() *Placeholder { return &Placeholder{ended: make(chan struct{})} }

func (p *Placeholder) end(status uint32) {
	p.once.Do(func() {
		p.exit = status
		close(p.ended)
	})
}

// Process returns the process. It does not use the streams.
func (p *Placeholder) Process(*plan.Process, container.Streams) container.Process {
	return process{p}
}

// Processes lists none.
func (p *Placeholder) Processes(context.Context) ([]stats.Process, error) { return nil, nil }

// Stats returns zero values: containerd adds those of the workloads.
func (p *Placeholder) Stats(_ context.Context, started time.Time) (stats.Sample, error) {
	return stats.Idle(time.Now(), started), nil
}

// Update returns [container.ErrUnsupported]: there is nothing to limit.
func (p *Placeholder) Update(context.Context, *specs.WindowsResources, map[string]string) error {
	return container.ErrUnsupported
}

// Status is empty.
func (p *Placeholder) Status() container.Status { return container.Status{} }

// Watch reports nothing.
func (p *Placeholder) Watch(func(container.Notice)) {}

// Pause does nothing.
func (p *Placeholder) Pause(context.Context) error { return nil }

// Resume does nothing.
func (p *Placeholder) Resume(context.Context) error { return nil }

// Stop ends the process.
func (p *Placeholder) Stop(context.Context, uint32) error {
	p.end(0)
	return nil
}

// Terminate ends the process.
func (p *Placeholder) Terminate(_ context.Context, status uint32) error {
	p.end(status)
	return nil
}

// TerminateProcesses is refused: nothing starts afterwards.
func (p *Placeholder) TerminateProcesses(context.Context, uint32) error {
	return container.ErrUnsupported
}

// TerminateTimeout is never reached.
func (p *Placeholder) TerminateTimeout() time.Duration { return time.Second }

// Close does nothing.
func (p *Placeholder) Close() error { return nil }

// process is the one process of a placeholder.
type process struct{ *Placeholder }

// Start returns the pid of the shim: containerd treats a running task without a pid as lost.
func (p process) Start(context.Context) (uint32, error) { return uint32(os.Getpid()), nil }

// Wait returns after a signal or Terminate, or with ctx.
func (p process) Wait(ctx context.Context) (uint32, error) {
	select {
	case <-p.ended:
		return p.exit, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Signal ends the process: with [container.Killed] for SIGKILL, and with 0 for any other signal.
func (p process) Signal(_ context.Context, sig uint32) error {
	if sig == container.SIGKILL {
		p.end(container.Killed)
	} else {
		p.end(0)
	}
	return nil
}

// Resize does nothing: there is no console.
func (p process) Resize(context.Context, uint32, uint32) error { return nil }
