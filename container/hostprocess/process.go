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

// connect sets the standard streams of the process to pipes, or to a new console.
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

// Wait implements [container.Process]. It returns after the notices of limits that the process reached were reported, and
// begins to close the console, which ends the output.
func (p *process) Wait(ctx context.Context) (uint32, error) {
	select {
	case <-p.running.Exited():
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	defer p.closeConsole()
	status, err := deadline.Value(container.CallTimeout, func() (uint32, error) { return p.running.Wait(ctx) })
	if errors.Is(err, context.DeadlineExceeded) {
		return 0, fmt.Errorf("query exit status of process %d: %w", p.running.Pid(), err)
	}
	p.container.awaitNotices(p.running.Pid())
	return status, err
}

// closeConsole begins to close the console, if there is one. It does not wait: before build 26100 of Windows that takes
// until the last program on the console has exited and its output was read.
func (p *process) closeConsole() {
	if p.console != nil {
		go func() { _ = p.console.Close() }() // it has no error
	}
}

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

func (p *process) Resize(_ context.Context, width, height uint32) error {
	return errclass.Add(p.console.Resize(uint16(width), uint16(height)))
}

// Close implements [container.Process]. It begins to close the console.
func (p *process) Close() error {
	p.closeConsole()
	if p.running == nil {
		return nil
	}
	return p.running.Close()
}
