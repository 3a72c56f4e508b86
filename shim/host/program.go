package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
)

// program is one program of a job container. Its task calls Start once and everything else after it.
type program struct {
	job     *Job
	spec    *spec.Process
	streams *stdio.Relay

	// Set by Start.
	process *jobobject.Process
	console *jobobject.Console
}

var _ task.Program = (*program)(nil)

// Start launches the program inside the job.
func (p *program) Start() (uint32, error) {
	user, err := p.job.token.Environment()
	if err != nil {
		return 0, err
	}
	env := p.job.plan.Environ(user, p.spec)
	application, dir, err := p.job.root.locate(p.spec, env)
	if err != nil {
		return 0, err
	}
	o := jobobject.ProcessOptions{
		Application: application,
		CommandLine: p.spec.CommandLine,
		Dir:         dir,
		Env:         env,
		BreakAway:   true, // the limits of a job around the shim are not the container's
	}
	if err := p.connect(&o); err != nil {
		return 0, err
	}
	process, err := p.job.start(o)
	if err != nil {
		p.closeConsole()
		return 0, startError(p.spec, application, dir, err)
	}
	p.process = process
	return process.Pid(), nil
}

// connect gives the program its streams: the relay's pipes, or a console that the relay reads.
func (p *program) connect(o *jobobject.ProcessOptions) error {
	if !p.spec.Terminal {
		o.Stdin, o.Stdout, o.Stderr = p.streams.Child()
		return nil
	}
	var err error
	p.console, err = jobobject.NewConsole(jobobject.ConsoleOptions{Width: p.spec.Width, Height: p.spec.Height, Kernel: p.job.job.Kernel()})
	if err != nil {
		return fmt.Errorf("process.terminal: %w", classify(err))
	}
	o.Console = p.console
	p.streams.UseConsole(p.console.In, p.console.Out)
	return nil
}

// Wait returns the exit status, after the notices of limits that the program met. Then the console is being closed,
// which ends the output that the relay reads.
func (p *program) Wait(ctx context.Context) (uint32, error) {
	select {
	case <-p.process.Exited():
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	defer p.closeConsole()
	answer := make(chan exit, 1)
	go func() { // ends when the kernel answers
		status, err := p.process.Wait(ctx)
		answer <- exit{status, err}
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case e := <-answer:
		p.job.settle(p.process.Pid())
		return e.status, e.err
	case <-late.C:
		return 0, fmt.Errorf("exit status of process %d: no answer after %s: %w", p.process.Pid(), patience, context.DeadlineExceeded)
	}
}

type exit struct {
	status uint32
	err    error
}

// closeConsole begins to close the console, if there is one. On Windows before build 26100 that takes until the last
// program on it has ended and its output was read, which the relay does: so nothing waits for it.
func (p *program) closeConsole() {
	if p.console != nil {
		go func() { _ = p.console.Close() }() // it has no error
	}
}

// events are the console control events by the number that containerd sends for a signal, as the reference shim
// reads them. SIGTERM is the shutdown event.
var events = map[uint32]jobobject.ConsoleEvent{
	0: jobobject.CtrlC, 1: jobobject.CtrlBreak, 2: jobobject.CtrlClose, 5: jobobject.CtrlLogoff,
	6: jobobject.CtrlShutdown, 15: jobobject.CtrlShutdown,
}

// Signal ends the program, or sends it a console control event.
func (p *program) Signal(sig uint32) error {
	if sig == task.SIGKILL {
		return classify(p.process.Terminate(task.Killed))
	}
	event, ok := events[sig]
	if !ok {
		return fmt.Errorf("signal %d is unknown on Windows (0, 1, 2, 5, 6, 9 and 15 are known): %w", sig, errdefs.ErrInvalidArgument)
	}
	if err := p.process.Signal(event); !errors.Is(err, jobobject.ErrExited) {
		return classify(err)
	}
	return nil
}

// Resize sets the size of the console.
func (p *program) Resize(width, height uint32) error {
	return classify(p.console.Resize(uint16(width), uint16(height)))
}

// Close gives back the process handle, and begins to close the console.
func (p *program) Close() error {
	p.closeConsole()
	if p.process == nil {
		return nil
	}
	return p.process.Close()
}
