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
	kills   atomic.Int32 // how often it was killed
}

var _ container.Process = (*process)(nil)

// Start launches the program inside, and for init the container before it.
func (p *process) Start(ctx context.Context) (uint32, error) {
	if p.init {
		if err := p.container.start(ctx); err != nil {
			return 0, errclass.Add(err)
		}
	}
	stdin, stdout, stderr := p.streams.Wanted()
	if p.plan.Terminal { // a console has its pipes whoever reads them
		stdin, stdout, stderr = true, true, false
	}
	running, err := p.container.system.CreateProcess(ctx, p.plan.Parameters(stdin, stdout, stderr))
	if err != nil {
		return 0, errclass.Start(p.plan, p.plan.Program, p.plan.Dir, err)
	}
	p.running = running
	var in io.WriteCloser
	if running.Stdin() != nil {
		in = input{running.Stdin(), running}
	}
	p.streams.Use(in, running.Stdout(), running.Stderr())
	return running.Pid(), nil
}

// input is the program's standard input. Closing our end is not enough for the program to see the end.
type input struct {
	io.WriteCloser
	process *hcs.Process
}

// SetDeadline ends a write that waits, where the pipe can.
func (i input) SetDeadline(t time.Time) error {
	if d, ok := i.WriteCloser.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return errors.ErrUnsupported
}

// Close ends the input. Of a program that has ended there is only our end left.
func (i input) Close() error {
	select {
	case <-i.process.Exited():
		return i.WriteCloser.Close()
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), container.CallTimeout)
	defer cancel()
	err := i.process.CloseStdin(ctx)
	if gone(err) {
		return i.WriteCloser.Close()
	}
	return err
}

// Wait returns the exit status. What was ended by SIGKILL says so, whatever code the service gives it.
func (p *process) Wait(ctx context.Context) (uint32, error) {
	code, err := p.running.Wait(ctx)
	p.container.mu.Lock()
	ended, status := p.container.ended, p.container.status
	p.container.mu.Unlock()
	over := err == nil || errors.Is(err, hcs.CodeSystemAlreadyStopped) || errors.Is(err, hcs.ErrNoExitCode)
	switch {
	case p.kills.Load() > 0 && over:
		return container.Killed, nil
	case ended && over:
		return status, nil
	}
	return code, errclass.Add(err)
}

// controls are the console control events as the service names them.
var controls = map[jobobject.ConsoleEvent]schema.ProcessSignal{
	jobobject.CtrlC: schema.CtrlC, jobobject.CtrlBreak: schema.CtrlBreak, jobobject.CtrlClose: schema.CtrlClose,
	jobobject.CtrlLogoff: schema.CtrlLogOff, jobobject.CtrlShutdown: schema.CtrlShutdown,
}

// Signal ends the program, or sends it a console control event. Some versions of the service answer an event only when
// the program has ended: to be heard is enough.
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
	go func() { sent <- p.running.Signal(context.Background(), controls[event]) }() // the service's own bound ends it
	select {
	case err := <-sent:
		return ended(err)
	case <-time.After(heard):
		return nil
	}
}

// heard is how long the answer to an event is waited for, to tell of a refusal.
const heard = time.Second

// kill ends the program. One that had ended before keeps its own status; one whose end takes longer than anybody
// waits for was killed all the same.
func (p *process) kill(ctx context.Context) error {
	p.markKilled(+1)
	err := p.running.Kill(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		p.markKilled(-1)
	}
	return ended(err)
}

// markKilled counts the kills of the program; one that comes too late takes itself back.
func (p *process) markKilled(n int32) {
	p.container.mu.Lock()
	defer p.container.mu.Unlock()
	killed := p.kills.Add(n) > 0
	if p.init {
		p.container.killed = killed
	}
}

// ended makes nothing of the news that the program has ended already.
func ended(err error) error {
	if errors.Is(err, hcs.ErrExited) || errors.Is(err, hcs.ErrNotFound) {
		return nil
	}
	return errclass.Add(err)
}

// Resize sets the size of the console.
func (p *process) Resize(ctx context.Context, width, height uint32) error {
	ctx, cancel := context.WithTimeout(ctx, container.CallTimeout)
	defer cancel()
	return ended(p.running.Resize(ctx, uint16(width), uint16(height)))
}

// Close gives back the process handle.
func (p *process) Close() error {
	if p.running == nil {
		return nil
	}
	return errclass.Add(p.running.Close())
}
