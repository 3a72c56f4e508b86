package hostprocess

import (
	"context"
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/deadline"
	"github.com/siloshim/siloshim/jobobject"
)

// process is one process of a job container.
type process struct {
	container *Container
	plan      *plan.Process
	streams   container.Streams

	// Set by Start.
	running *jobobject.Process
	console *jobobject.Console
}

var _ container.Process = (*process)(nil)

// Start launches the program inside the job.
func (p *process) Start(context.Context) (uint32, error) {
	user, err := p.container.token.Environment()
	if err != nil {
		return 0, err
	}
	env := p.container.plan.Environ(user, p.plan)
	application, dir, err := p.container.root.locate(p.plan, env)
	if err != nil {
		return 0, err
	}
	o := jobobject.ProcessOptions{
		Application: application,
		CommandLine: p.plan.CommandLine,
		Dir:         dir,
		Env:         env,
		BreakAway:   !p.container.adopted, // the limits of a job around the shim are not the container's
	}
	if err := p.connect(&o); err != nil {
		return 0, err
	}
	process, err := p.container.start(o)
	if err != nil {
		p.closeConsole()
		return 0, errclass.Start(p.plan, application, dir, err)
	}
	p.running = process
	return process.Pid(), nil
}

// connect gives the program its streams: the relay's pipes, or a console that the relay reads.
func (p *process) connect(o *jobobject.ProcessOptions) error {
	if !p.plan.Terminal {
		var err error
		o.Stdin, o.Stdout, o.Stderr, err = p.streams.Pipes()
		return err
	}
	var err error
	p.console, err = jobobject.NewConsole(jobobject.ConsoleOptions{Width: p.plan.Width, Height: p.plan.Height, Kernel: p.container.job.Kernel()})
	if err != nil {
		return fmt.Errorf("process.terminal: %w", errclass.Add(err))
	}
	o.Console = p.console
	p.streams.Use(p.console.In, p.console.Out, nil)
	return nil
}

// Wait returns the exit status, after the notices of limits that the program met. Then the console is being closed,
// which ends the output that the relay reads.
func (p *process) Wait(ctx context.Context) (uint32, error) {
	select {
	case <-p.running.Exited():
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	defer p.closeConsole()
	status, err := deadline.Value(container.CallTimeout, func() (uint32, error) { return p.running.Wait(ctx) })
	if errors.Is(err, context.DeadlineExceeded) {
		return 0, fmt.Errorf("exit status of process %d: %w", p.running.Pid(), err)
	}
	p.container.awaitNotices(p.running.Pid())
	return status, err
}

// closeConsole begins to close the console, if there is one. On Windows before build 26100 that takes until the last
// program on it has ended and its output was read, which the relay does: so nothing waits for it.
func (p *process) closeConsole() {
	if p.console != nil {
		go func() { _ = p.console.Close() }() // it has no error
	}
}

// Signal ends the program, or sends it a console control event.
func (p *process) Signal(_ context.Context, sig uint32) error {
	if sig == container.SIGKILL {
		return errclass.Add(p.running.Terminate(container.Killed))
	}
	event, err := container.ConsoleEvent(sig)
	if err != nil {
		return err
	}
	if err := p.running.Signal(event); !errors.Is(err, jobobject.ErrExited) {
		return errclass.Add(err)
	}
	return nil
}

// Resize sets the size of the console.
func (p *process) Resize(_ context.Context, width, height uint32) error {
	return errclass.Add(p.console.Resize(uint16(width), uint16(height)))
}

// Close gives back the process handle, and begins to close the console.
func (p *process) Close() error {
	p.closeConsole()
	if p.running == nil {
		return nil
	}
	return p.running.Close()
}
