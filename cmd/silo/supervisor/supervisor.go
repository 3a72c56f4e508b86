package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
)

// Options describe what to keep running.
type Options struct {
	// Container has not run a process yet, and is not watched by another. A container that does not support
	// [container.Container.TerminateProcesses] takes no policy that restarts.
	Container container.Container
	Process   *plan.Process
	// Stdin is inherited by the program of a job container; nil is none.
	Stdin *os.File
	// Stdout and Stderr take the output, nil for none. A job container's program inherits an *os.File; any other writer,
	// and every writer of a Windows Server container, gets a copy. A nil Stderr is Stdout, with the order of the writes
	// kept in a job container; the writer may be called concurrently in the other kind.
	Stdout, Stderr io.Writer
	Policy         Policy
	// Signals are sent one after the other, each with Grace to answer, before the container is terminated.
	Signals []Signal
	Grace   time.Duration
	// Timeout bounds the run, restarts included; 0 is no bound.
	Timeout time.Duration
	// Observe receives each event, on the goroutine of Run; it may be nil.
	Observe func(Event)
	// Warn receives what fails beside the program, on the goroutine of Run; it may be nil.
	Warn func(error)
	// Notice receives each notice of the container, on a goroutine of the container that may outlive Run; it may be nil.
	Notice func(container.Notice)
}

// errTimeout is the cause when the time of a run is up.
var errTimeout = errors.New("the time is up")

// run is a call of Run.
type run struct {
	Options
	refused atomic.Bool // memory, to the program that runs
}

// Run keeps the program running until it ends and the policy does not restart it, or ctx ends; a [Stop] as the cause of
// that changes the signals. With a ctx that has ended nothing is started, and the program counts as killed. A failed start
// is a failure of the program to the policy. An error means that the latest start failed, that the program could not be
// watched, or that its container could not be terminated.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, errTimeout)
		defer cancel()
	}
	if ctx.Err() != nil {
		return Result{Code: container.Killed, Reason: Forced}, nil
	}
	r := &run{Options: o}
	r.Container.Watch(r.notice)
	var pause time.Duration
	for restarts := 0; ; restarts++ {
		began := time.Now()
		e, again := r.once(ctx, restarts)
		result := Result{e.code, e.reason, restarts}
		if !again || ctx.Err() != nil {
			return result, e.err
		}
		pause = r.Policy.pause(pause, time.Since(began))
		r.report(Event{Code: e.code, Reason: e.reason, Err: e.err, Restarts: restarts, Pause: pause})
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return result, e.err
		case <-timer.C:
		}
	}
}

func (r *run) report(e Event) {
	if r.Observe != nil {
		r.Observe(e)
	}
}

func (r *run) warn(err error) {
	if err != nil && r.Warn != nil {
		r.Warn(err)
	}
}

func (r *run) notice(n container.Notice) {
	if n.Limit == container.MemoryLimit {
		r.refused.Store(true)
	}
	if r.Notice != nil {
		r.Notice(n)
	}
}

// once starts the program and returns when it and every other process have ended and all output has been copied. again
// reports that another start is to follow.
func (r *run) once(ctx context.Context, restarts int) (e exit, again bool) {
	r.refused.Store(false)
	out := newOutput(r.Stdin, r.Stdout, r.Stderr)
	p := r.Container.Process(r.Process, out)
	defer func() { r.warn(p.Close()) }()
	pid, err := r.start(ctx, p)
	out.started()
	if err != nil {
		e = exit{reason: NotStarted, err: err}
		again = ctx.Err() == nil && r.Policy.again(1, restarts)
	} else {
		r.report(Event{Pid: pid, Restarts: restarts})
		e = r.await(ctx, p)
		again = ctx.Err() == nil && e.err == nil && r.Policy.again(e.code, restarts)
	}
	if pid != 0 || again {
		err = r.terminate(ctx, again)
		e.err, again = errors.Join(e.err, err), again && err == nil
	}
	r.warn(out.drain())
	return e, again
}

// start starts the program. When ctx ends meanwhile, a start that succeeds within the grace period is awaited: the
// program can then be signalled like any other.
func (r *run) start(ctx context.Context, p container.Process) (pid uint32, err error) {
	starting, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { // ends when start returns
		_, grace := r.stopping(ctx)
		select {
		case <-time.After(grace):
			cancel(context.Cause(ctx))
		case <-starting.Done():
		}
	})()
	return p.Start(starting)
}

// terminate ends every process that the program has left behind. again leaves the container usable for a restart.
func (r *run) terminate(ctx context.Context, again bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Container.TerminateTimeout())
	defer cancel()
	if again {
		return r.Container.TerminateProcesses(ctx, container.Killed)
	}
	return r.Container.Terminate(ctx, container.Killed)
}

// await waits for the end of the program, or ends it when ctx ends.
func (r *run) await(ctx context.Context, p container.Process) exit {
	exited := make(chan exit, 1)
	go func() { // ends with the program, or when it is closed
		code, err := p.Wait(context.WithoutCancel(ctx))
		exited <- exit{code: code, err: err}
	}()
	select {
	case e := <-exited:
		return e.byItself(r.refused.Load())
	case <-ctx.Done():
	}
	e := r.stop(ctx, p, exited)
	if errors.Is(context.Cause(ctx), errTimeout) {
		e.code, e.reason = TimedOut, Timeout
	}
	return e
}

// stopping returns the signals that stop the program, and the grace period after each.
func (r *run) stopping(ctx context.Context) ([]Signal, time.Duration) {
	signals, grace := r.Signals, r.Grace
	var requested *Stop
	if errors.As(context.Cause(ctx), &requested) {
		if requested.Signals != nil {
			signals = requested.Signals
		}
		if requested.Grace != nil {
			grace = *requested.Grace
		}
	}
	return signals, grace
}

// stop sends one signal after the other and kills the program if it answers none. The signals end with the bounds of the
// container.
func (r *run) stop(ctx context.Context, p container.Process, exited <-chan exit) exit {
	signals, grace := r.stopping(ctx)
	var requested *Stop
	if errors.As(context.Cause(ctx), &requested) {
		r.warn(requested.Err)
	}
	ctx = context.WithoutCancel(ctx)
	for _, s := range signals {
		if e, ended := r.signal(ctx, p, s, grace, exited); ended {
			e.reason = Stopped
			return e
		}
	}
	_ = p.Signal(ctx, container.SIGKILL) // if that fails, terminate ends it
	return exit{code: container.Killed, reason: Forced}
}

// signal sends one signal and waits for the end of the program, at most for the grace period. A signal that cannot be
// sent gets no grace.
func (r *run) signal(ctx context.Context, p container.Process, s Signal, period time.Duration, exited <-chan exit) (e exit, ended bool) {
	sent := make(chan error, 1)
	go func() { sent <- p.Signal(ctx, uint32(s)) }() // it may wait for an answer
	grace := time.NewTimer(period)
	defer grace.Stop()
	for {
		select {
		case e := <-exited:
			if sent != nil {
				select { // the call has a handle of the program
				case <-sent: //nolint:errcheck // the program has ended
				case <-grace.C:
				}
			}
			return e, true
		case err := <-sent:
			if err != nil {
				r.warn(fmt.Errorf("send %v to the program: %w", s, err))
				return exit{}, false
			}
			sent = nil
		case <-grace.C:
			return exit{}, false
		}
	}
}
