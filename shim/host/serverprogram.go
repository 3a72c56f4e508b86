package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
)

// patience is how long a request about one process waits for the service. One that hangs costs its caller no more.
const patience = 10 * time.Second

// serverProgram is one program of a Windows Server container. Its task calls Start once and everything else after it.
type serverProgram struct {
	server  *Server
	spec    *spec.Process
	streams *stdio.Relay
	init    bool

	process *hcs.Process // set by Start
	killed  atomic.Int32 // how often it was ended without appeal
}

var _ task.Program = (*serverProgram)(nil)

// Start launches the program inside, and for init the container before it.
func (p *serverProgram) Start() (uint32, error) {
	ctx := context.Background() // the service's own bounds hold
	if p.init {
		if err := p.server.start(ctx); err != nil {
			return 0, classify(err)
		}
	}
	stdin, stdout, stderr := p.streams.Asked()
	if p.spec.Terminal { // a console has its pipes whoever reads them
		stdin, stdout, stderr = true, true, false
	}
	process, err := p.server.system.CreateProcess(ctx, p.spec.Parameters(stdin, stdout, stderr))
	if err != nil {
		return 0, startError(p.spec, p.spec.Program, p.spec.Dir, err)
	}
	p.process = process
	var in io.WriteCloser
	if process.Stdin() != nil {
		in = input{process.Stdin(), process}
	}
	p.streams.UseStreams(in, process.Stdout(), process.Stderr())
	return process.Pid(), nil
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
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := i.process.CloseStdin(ctx)
	if gone(err) {
		return i.WriteCloser.Close()
	}
	return err
}

// Wait returns the exit status. What was ended without appeal says so, whatever code the service gives it.
func (p *serverProgram) Wait(ctx context.Context) (uint32, error) {
	code, err := p.process.Wait(ctx)
	p.server.mu.Lock()
	ended, status := p.server.ended, p.server.status
	p.server.mu.Unlock()
	over := err == nil || errors.Is(err, hcs.CodeSystemAlreadyStopped) || errors.Is(err, hcs.ErrNoExitCode)
	switch {
	case p.killed.Load() > 0 && over:
		return task.Killed, nil
	case ended && over:
		return status, nil
	}
	return code, classify(err)
}

// controls are the console control events by the number that containerd sends for a signal.
var controls = map[uint32]schema.ProcessSignal{
	0: schema.CtrlC, 1: schema.CtrlBreak, 2: schema.CtrlClose, 5: schema.CtrlLogOff, 6: schema.CtrlShutdown, 15: schema.CtrlShutdown,
}

// Signal ends the program, or sends it a console control event. Some versions of the service answer an event only when
// the program has ended: to be heard is enough.
func (p *serverProgram) Signal(sig uint32) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if sig == task.SIGKILL {
		return p.kill(ctx)
	}
	event, ok := controls[sig]
	if !ok {
		return fmt.Errorf("signal %d is unknown on Windows (0, 1, 2, 5, 6, 9 and 15 are known): %w", sig, errdefs.ErrInvalidArgument)
	}
	sent := make(chan error, 1)
	go func() { sent <- p.process.Signal(context.Background(), event) }() // the service's own bound ends it
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
func (p *serverProgram) kill(ctx context.Context) error {
	p.condemn(+1)
	err := p.process.Kill(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		p.condemn(-1)
	}
	return ended(err)
}

// condemn counts who ends the program without appeal; one that comes too late takes itself back.
func (p *serverProgram) condemn(n int32) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	killed := p.killed.Add(n) > 0
	if p.init {
		p.server.killed = killed
	}
}

// ended makes nothing of the news that the program has ended already.
func ended(err error) error {
	if errors.Is(err, hcs.ErrExited) || errors.Is(err, hcs.ErrNotFound) {
		return nil
	}
	return classify(err)
}

// Resize sets the size of the console.
func (p *serverProgram) Resize(width, height uint32) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return ended(p.process.Resize(ctx, uint16(width), uint16(height)))
}

// Close gives back the process handle.
func (p *serverProgram) Close() error {
	if p.process == nil {
		return nil
	}
	return classify(p.process.Close())
}
