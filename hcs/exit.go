package hcs

import (
	"context"
	"errors"
	"time"

	"github.com/siloshim/siloshim/schema"
)

// Exited returns a channel that is closed when the process has exited or the
// service is lost; [Process.Wait] then returns which.
func (p *Process) Exited() <-chan struct{} { return p.watch.done }

// exitEventTimeout is how long the event of an exit may take after an answer that
// implies the exit.
const exitEventTimeout = time.Second

// exitCodeTimeout bounds the query for the exit code of a process whose exit event
// did not come: such a service may not answer either.
const exitCodeTimeout = 10 * time.Second

// Wait returns the exit code of the process once it has ended. It ends early with
// ctx, with [ErrClosed] after Close of the process, and with [CodeServiceDisconnect]
// if the service is lost. It returns [CodeSystemAlreadyStopped] if the system has
// ended and the service reports no exit of the process. If the service answers a
// Signal or a Kill as if the process did not exist, Wait ends a second later: with
// the exit code if the service still reports one, else with [ErrNoExitCode].
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

// exitCode is the exit code of a process that has ended. Its exit event may come
// after that of its system.
func (p *Process) exitCode(ctx context.Context) (uint32, error) {
	if !p.waitExitEvent(ctx) {
		if _, err := p.system.watch.final(); err != nil {
			return 0, err
		}
		return p.queryExitCode(ctx, CodeSystemAlreadyStopped)
	}
	n, err := p.watch.final()
	if errors.Is(err, ErrNoExitCode) {
		return p.queryExitCode(ctx, err)
	}
	if err != nil {
		return 0, err
	}
	return exitCodeIn(n.Document)
}

// waitExitEvent waits for the exit event, for a second if the service is not lost.
func (p *Process) waitExitEvent(ctx context.Context) bool {
	select {
	case <-p.watch.done:
		return true
	default:
	}
	if _, err := p.system.watch.final(); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, exitEventTimeout)
	defer cancel()
	return wait(ctx, p.watch.done, p.handle.Closed()) == nil
}

// queryExitCode queries the exit code of a process whose exit event did not come. If
// that fails and the event does not come meanwhile, it returns the error unknown.
func (p *Process) queryExitCode(ctx context.Context, unknown error) (uint32, error) {
	asking, cancel := context.WithTimeout(ctx, exitCodeTimeout)
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
