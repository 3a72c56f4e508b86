package wcow

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// process is one process of a Windows Server container.
type process struct {
	container *Container
	plan      *plan.Process
	streams   container.Streams
	init      bool

	running *hcs.Process // set by Start
	kills   atomic.Int32 // kills that may have ended it
}

var _ container.Process = (*process)(nil)

// Start implements [container.Process]. For the init process it starts the compute system first.
func (p *process) Start(ctx context.Context) (uint32, error) {
	if p.init {
		if err := p.container.start(ctx); err != nil {
			return 0, errclass.Add(err)
		}
	}
	stdin, stdout, stderr := p.streams.Wanted()
	if p.plan.Terminal { // a console always has these pipes
		stdin, stdout, stderr = true, true, false
	}
	running, err := p.container.system.CreateProcess(ctx, p.plan.Parameters(stdin, stdout, stderr))
	if err != nil {
		return 0, errclass.Start(p.plan, p.plan.Program, p.plan.Dir, err)
	}
	p.running = running
	p.container.mu.Lock()
	p.container.processes[p] = false
	p.container.mu.Unlock()
	var in io.WriteCloser
	if running.Stdin() != nil {
		in = input{running.Stdin(), running}
	}
	p.streams.Use(in, running.Stdout(), running.Stderr())
	return running.Pid(), nil
}

// input is the standard input of a process. Closing our end of the pipe does not end the input of the process.
type input struct {
	io.WriteCloser
	process *hcs.Process
}

// SetDeadline ends a blocked write, if the pipe supports that.
func (i input) SetDeadline(t time.Time) error {
	if d, ok := i.WriteCloser.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return errors.ErrUnsupported
}

// Close ends the input. If the process has exited it closes only our end.
func (i input) Close() error {
	if isClosed(i.process.Exited()) {
		return i.WriteCloser.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), container.CallTimeout)
	defer cancel()
	err := i.process.CloseStdin(ctx)
	if gone(err) {
		return i.WriteCloser.Close()
	}
	return err
}

// Wait implements [container.Process]. A process that SIGKILL or Terminate ended has their status, whatever code the service
// returns. One that had exited before keeps its own.
func (p *process) Wait(ctx context.Context) (uint32, error) {
	code, err := p.running.Wait(ctx)
	p.container.mu.Lock()
	ended, status := p.container.ended, p.container.status
	if before := p.container.processes[p]; before && err == nil {
		ended = false
	}
	p.container.mu.Unlock()
	exited := err == nil || errors.Is(err, hcs.CodeSystemAlreadyStopped) || errors.Is(err, hcs.ErrNoExitCode)
	switch {
	case p.kills.Load() > 0 && exited:
		return container.Killed, nil
	case ended && exited:
		return status, nil
	}
	return code, errclass.Add(err)
}

// signals are the service's names of the console control events.
var signals = map[jobobject.ConsoleEvent]schema.ProcessSignal{
	jobobject.CtrlC: schema.CtrlC, jobobject.CtrlBreak: schema.CtrlBreak, jobobject.CtrlClose: schema.CtrlClose,
	jobobject.CtrlLogoff: schema.CtrlLogOff, jobobject.CtrlShutdown: schema.CtrlShutdown,
}

// Signal implements [container.Process]. Some versions of the service return from an event only when the process has
// exited, so Signal waits for an error for eventTimeout only.
func (p *process) Signal(ctx context.Context, sig uint32) error {
	ctx, cancel := context.WithTimeout(ctx, container.CallTimeout)
	defer cancel()
	if sig == container.SIGKILL {
		return p.kill(ctx)
	}
	event, err := container.ConsoleEvent(sig)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- p.running.Signal(context.Background(), signals[event]) }() // ends with the timeout of the service
	select {
	case err := <-sent:
		return ignoreExited(err)
	case <-time.After(eventTimeout):
		return nil
	}
}

// eventTimeout is how long Signal waits for the result of an event.
const eventTimeout = time.Second

// kill terminates the process. A process that had exited before keeps its status. A process that has not exited within
// the timeout is killed nevertheless.
func (p *process) kill(ctx context.Context) error {
	p.markKilled(+1)
	err := p.running.Kill(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		p.markKilled(-1)
	}
	return ignoreExited(err)
}

// markKilled counts the kills of the process. A kill that failed is subtracted again.
func (p *process) markKilled(n int32) {
	p.container.mu.Lock()
	defer p.container.mu.Unlock()
	killed := p.kills.Add(n) > 0
	if p.init {
		p.container.killed = killed
	}
}

// ignoreExited returns nil for an error about a process that has exited, and adds the class to other errors.
func ignoreExited(err error) error {
	if errors.Is(err, hcs.ErrExited) || errors.Is(err, hcs.ErrNotFound) {
		return nil
	}
	return errclass.Add(err)
}

func (p *process) Resize(ctx context.Context, width, height uint32) error {
	ctx, cancel := context.WithTimeout(ctx, container.CallTimeout)
	defer cancel()
	return ignoreExited(p.running.Resize(ctx, uint16(width), uint16(height)))
}

func (p *process) Close() error {
	if p.running == nil {
		return nil
	}
	p.container.mu.Lock()
	delete(p.container.processes, p)
	p.container.mu.Unlock()
	return errclass.Add(p.running.Close())
}
