package hcs

import (
	"context"

	"github.com/siloshim/siloshim/schema"
)

// Exited returns a channel that is closed when the process has exited or the
// service is lost; [Process.Wait] then tells which.
func (p *Process) Exited() <-chan struct{} { return p.watch.done }

// Wait returns the exit code of the process once it has ended. It ends early with
// ctx, with [ErrClosed] by Close of the process, and with [ServiceDisconnect] if
// the service goes away. If the system ends and nobody tells how the process
// did, that is [SystemAlreadyStopped].
func (p *Process) Wait(ctx context.Context) (exitCode uint32, err error) {
	const op = "wait for process in system"
	if err := p.await(ctx); err != nil {
		return 0, p.who.fail(op, err)
	}
	select {
	case <-p.watch.done:
	default:
		return p.lastWords(ctx)
	}
	n, err := p.watch.final()
	if err != nil {
		return 0, p.who.fail(op, err)
	}
	code, err := exitCodeIn(n.Document)
	return code, p.who.fail(op, err)
}

// await returns nil when the process or its system has ended.
func (p *Process) await(ctx context.Context) error {
	select {
	case <-p.watch.done:
		return nil
	default:
	}
	select {
	case <-p.watch.done:
		return nil
	case <-p.system.watch.done:
		return nil
	case <-p.lease.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lastWords asks for the exit code of a process whose system has ended without a
// word about it.
func (p *Process) lastWords(ctx context.Context) (uint32, error) {
	const op = "wait for process in system"
	if _, err := p.system.watch.final(); err != nil {
		return 0, p.who.fail(op, err)
	}
	answer, err := p.call(ctx, op, ProcessProperties, "")
	if err != nil {
		return 0, p.who.fail(op, SystemAlreadyStopped)
	}
	code, err := exitCodeIn(answer)
	return code, p.who.fail(op, err)
}

func exitCodeIn(document string) (uint32, error) {
	var status schema.ProcessStatus
	if err := decode(document, &status); err != nil {
		return 0, err
	}
	switch {
	case Code(uint32(status.LastWaitResult)).Failed():
		return 0, Code(uint32(status.LastWaitResult))
	case !status.Exited:
		return 0, SystemAlreadyStopped
	}
	return status.ExitCode, nil
}
