package hcs

import (
	"context"
	"errors"
	"time"

	"github.com/siloshim/siloshim/schema"
)

// Exited returns a channel that is closed when the process has exited or the
// service is lost; [Process.Wait] then tells which.
func (p *Process) Exited() <-chan struct{} { return p.watch.done }

// announcement is how long the service may take to announce an exit that it has
// shown to know of.
const announcement = time.Second

// lastAnswer bounds the query for the exit code of a process whose exit was not
// announced: a service that does not announce it may not answer either.
const lastAnswer = 10 * time.Second

// Wait returns the exit code of the process once it has ended. It ends early with
// ctx, with [ErrClosed] by Close of the process, and with [CodeServiceDisconnect] if
// the service goes away. If the system ends and nobody tells how the process
// did, that is [CodeSystemAlreadyStopped]. If the service answers a Signal or a Kill
// as if there were no such process, Wait ends a second later: with the exit code
// if the service still reports one, else with [ErrNoExitCode].
func (p *Process) Wait(ctx context.Context) (exitCode uint32, err error) {
	const op = "wait for process in system"
	if err := p.await(ctx); err != nil {
		return 0, p.who.fail(op, err)
	}
	code, err := p.exitCode(ctx)
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
	case <-p.handle.Closed():
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// exitCode is the exit code of a process that has ended. Its exit may be
// announced behind that of its system.
func (p *Process) exitCode(ctx context.Context) (uint32, error) {
	if !p.announced(ctx) {
		if _, err := p.system.watch.final(); err != nil {
			return 0, err
		}
		return p.askExitCode(ctx, CodeSystemAlreadyStopped)
	}
	n, err := p.watch.final()
	if errors.Is(err, ErrNoExitCode) {
		return p.askExitCode(ctx, err)
	}
	if err != nil {
		return 0, err
	}
	return exitCodeIn(n.Document)
}

// announced waits for the announcement of the exit, for a second if the service
// is not lost.
func (p *Process) announced(ctx context.Context) bool {
	select {
	case <-p.watch.done:
		return true
	default:
	}
	if _, err := p.system.watch.final(); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, announcement)
	defer cancel()
	return wait(ctx, p.watch.done, p.handle.Closed()) == nil
}

// askExitCode queries the exit code of a process whose exit was not announced. If
// that fails and the exit is not announced meanwhile, the error is unknown.
func (p *Process) askExitCode(ctx context.Context, unknown error) (uint32, error) {
	asking, cancel := context.WithTimeout(ctx, lastAnswer)
	defer cancel()
	var status schema.ProcessStatus
	answer, err := p.call(asking, "query process in system", CallProcessProperties, "")
	// Without Exited a zero may be no code at all, and would be taken for success.
	if err == nil && decode(answer, &status) == nil && (status.Exited || status.ExitCode != 0) {
		return exitCodeOf(&status)
	}
	select {
	case <-p.watch.done:
		if n, err := p.watch.final(); err == nil {
			return exitCodeIn(n.Document)
		}
	default:
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return 0, unknown
}

// exitCodeIn is the exit code in the document of an exit event.
func exitCodeIn(document string) (uint32, error) {
	var status schema.ProcessStatus
	if err := decode(document, &status); err != nil {
		return 0, err
	}
	return exitCodeOf(&status)
}

// exitCodeOf is the exit code of a process that has ended, whether or not its
// status says so, unless the service failed to wait for it.
func exitCodeOf(status *schema.ProcessStatus) (uint32, error) {
	waited := Code(uint32(status.LastWaitResult))
	if waited.Failed() || waited != 0 && !status.Exited {
		return 0, waited
	}
	return status.ExitCode, nil
}
