package supervisor

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
)

// TimedOut is the exit code of a program whose time was up, as that of timeout(1). One that was killed has
// [container.Killed].
const TimedOut uint32 = 124

// Reason is why a run is over.
type Reason string

// The reasons.
const (
	Exited  Reason = "exited"
	Stopped Reason = "stopped" // ctx ended and the program did after a signal
	Forced  Reason = "killed"  // ctx ended and the program did not
	Timeout Reason = "timeout"
	Memory  Reason = "memory" // it ended after an allocation was refused by a limit
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
	// Observe receives each start and end, on the goroutine of Run; it may be nil.
	Observe func(Event)
	// Notice receives each notice of the container, on a goroutine of the container that may outlive Run; it may be nil.
	Notice func(container.Notice)
}

// Event is one step of a run.
type Event struct {
	Pid      uint32 // of the program that was started; 0 at its end
	Restarts int
	Code     uint32 // at its end
	Pause    time.Duration
}

// Result is how a run ended.
type Result struct {
	Code     uint32
	Reason   Reason // "" if the program could not be started
	Restarts int
}

// errTimeout is the cause when the time of a run is up.
var errTimeout = errors.New("the time is up")

// run is a call of Run.
type run struct {
	Options
	refused atomic.Bool // memory, to the program that runs
}

// Run keeps the program running until it ends and the policy does not restart it, or ctx ends. With a ctx that has ended
// nothing is started, and the program counts as killed. An error means that the program could not be started or watched,
// or that its container could not be terminated.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, errTimeout)
		defer cancel()
	}
	var result Result
	if ctx.Err() != nil {
		return Result{Code: container.Killed, Reason: Forced}, nil
	}
	r := &run{Options: o}
	r.Container.Watch(r.notice)
	var pause time.Duration
	for {
		began := time.Now()
		code, reason, err := r.once(ctx, result.Restarts)
		result.Code, result.Reason = code, reason
		if err != nil || ctx.Err() != nil || !r.Policy.again(code, result.Restarts) {
			return result, err
		}
		pause = r.Policy.pause(pause, time.Since(began))
		r.report(Event{Code: code, Restarts: result.Restarts, Pause: pause})
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return result, nil
		case <-timer.C:
		}
		result.Restarts++
	}
}

func (r *run) report(e Event) {
	if r.Observe != nil {
		r.Observe(e)
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

// once starts the program and returns when it and every other process have ended and all output has been copied.
func (r *run) once(ctx context.Context, restarts int) (code uint32, reason Reason, err error) {
	r.refused.Store(false)
	out := newOutput(r.Stdin, r.Stdout, r.Stderr)
	p := r.Container.Process(r.Process, out)
	defer func() { err = errors.Join(err, p.Close()) }()
	pid, err := r.start(ctx, p)
	out.started()
	if err != nil {
		return 0, "", errors.Join(err, out.drain())
	}
	r.report(Event{Pid: pid, Restarts: restarts})
	code, reason, err = r.await(ctx, p)
	again := err == nil && ctx.Err() == nil && r.Policy.again(code, restarts)
	err = errors.Join(err, r.terminate(ctx, again), out.drain())
	if reason == Exited && code != 0 && r.refused.Load() {
		reason = Memory
	}
	return code, reason, err
}

// start starts the program. When ctx ends meanwhile, a start that succeeds within the grace period is awaited: the
// program can then be signalled like any other.
func (r *run) start(ctx context.Context, p container.Process) (pid uint32, err error) {
	starting, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { // ends when start returns
		select {
		case <-time.After(r.Grace):
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

// exit is how a program has ended.
type exit struct {
	code uint32
	err  error
}

// await waits for the end of the program, or ends it when ctx ends.
func (r *run) await(ctx context.Context, p container.Process) (uint32, Reason, error) {
	exited := make(chan exit, 1)
	go func() { // ends with the program, or when it is closed
		code, err := p.Wait(context.WithoutCancel(ctx))
		exited <- exit{code, err}
	}()
	select {
	case e := <-exited:
		return e.code, Exited, e.err
	case <-ctx.Done():
	}
	e, graceful := r.stop(context.WithoutCancel(ctx), p, exited)
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		return TimedOut, Timeout, e.err
	case graceful:
		return e.code, Stopped, e.err
	}
	return e.code, Forced, e.err
}

// stop sends one signal after the other and kills the program if it answers none. graceful reports whether it answered.
// The signals end with the bounds of the container.
func (r *run) stop(ctx context.Context, p container.Process, exited <-chan exit) (e exit, graceful bool) {
	for _, s := range r.Signals {
		if e, ended := r.signal(ctx, p, s, exited); ended {
			return e, true
		}
	}
	_ = p.Signal(ctx, container.SIGKILL) // if that fails, terminate ends it
	return exit{code: container.Killed}, false
}

// signal sends one signal and waits for the end of the program, at most for the grace period. A signal that cannot be
// sent gets no grace.
func (r *run) signal(ctx context.Context, p container.Process, s Signal, exited <-chan exit) (e exit, ended bool) {
	sent := make(chan error, 1)
	go func() { sent <- p.Signal(ctx, uint32(s)) }() // it may wait for an answer
	grace := time.NewTimer(r.Grace)
	defer grace.Stop()
	for {
		select {
		case e := <-exited:
			return e, true
		case err := <-sent:
			if err != nil {
				return exit{}, false
			}
			sent = nil
		case <-grace.C:
			return exit{}, false
		}
	}
}
