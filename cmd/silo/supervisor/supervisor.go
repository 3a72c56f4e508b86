package supervisor

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// Codes of a program that we ended ourselves.
const (
	Killed   uint32 = 137 // it did not answer the stop signals: 128 + 9, as containers say
	TimedOut uint32 = 124 // its time was up, as timeout(1) says
)

// Reason says why a run is over.
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
	Job     *jobobject.Job
	Process jobobject.ProcessOptions // its Stdout and Stderr are taken only where Output is nil
	// Output takes standard output and error of the program; nil leaves it to Process.
	Output io.Writer
	Policy Policy
	// Signals are raised one after the other, each with Grace to answer, before the job is terminated.
	Signals []Signal
	Grace   time.Duration
	// Timeout bounds the run, restarts included; 0 is no bound.
	Timeout time.Duration
	// Observe hears of each start and end, on the goroutine of Run; nil for nobody.
	Observe func(Event)
	// Message hears of each message of the job while the program runs, on the same goroutine; nil for nobody. Nobody
	// else may read the job's messages.
	Message func(jobobject.Message)
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
	Reason   Reason
	Restarts int
}

// errTimeout is the cause when the time of a run is up.
var errTimeout = errors.New("the time is up")

// Run keeps the program running until it ends and the policy lets it, or ctx ends. With a ctx that has ended nothing is
// started, and the program counts as killed. An error means that the program
// could not be started or watched; the job is empty in any case.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, errTimeout)
		defer cancel()
	}
	var r Result
	if ctx.Err() != nil {
		return Result{Code: Killed, Reason: Forced}, nil
	}
	var pause time.Duration
	for {
		began := time.Now()
		code, reason, err := once(ctx, &o, r.Restarts)
		r.Code, r.Reason = code, reason
		if err != nil || ctx.Err() != nil || !o.Policy.again(code, r.Restarts) {
			return r, err
		}
		pause = o.Policy.pause(pause, time.Since(began))
		o.tell(Event{Code: code, Restarts: r.Restarts, Pause: pause})
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return r, nil
		case <-timer.C:
		}
		r.Restarts++
	}
}

func (o *Options) tell(e Event) {
	if o.Observe != nil {
		o.Observe(e)
	}
}

// once starts the program and returns when it, and the rest of the job, has ended and all output has been written.
func once(ctx context.Context, o *Options, restarts int) (code uint32, reason Reason, err error) {
	out, err := openOutput(o)
	if err != nil {
		return 0, "", err
	}
	o.Job.Messages() // nothing is kept from before the first call, and the program may meet a limit at once
	process, err := o.Job.Start(out.process)
	out.started()
	if err != nil {
		return 0, "", errors.Join(err, out.drain())
	}
	defer func() { err = errors.Join(err, process.Close()) }()
	o.tell(Event{Pid: process.Pid(), Restarts: restarts})
	code, reason, err = o.await(ctx, process)
	// What the program left behind ends with it, or the job would not be that of the next start.
	err = errors.Join(err, End(o.Job, Killed), out.drain())
	if refused := o.hearRest(); refused && reason == Exited && code != 0 {
		reason = Memory // told after the end of the program
	}
	return code, reason, err
}

// End terminates the job and waits until it is empty.
func End(job *jobobject.Job, code uint32) error {
	if err := job.Terminate(code); err != nil {
		return err
	}
	return job.WaitEmpty(context.Background())
}

// await waits for the end of the program, or brings it about when ctx ends.
func (o *Options) await(ctx context.Context, p *jobobject.Process) (uint32, Reason, error) {
	messages := o.Job.Messages()
	refused := false
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				messages = nil
				continue
			}
			refused = o.hear(m) || refused
			continue
		case <-p.Exited():
			refused = o.hearRest() || refused
			code, err := p.Wait(context.Background())
			if refused && code != 0 {
				return code, Memory, err
			}
			return code, Exited, err
		case <-ctx.Done():
		}
		code, graceful, err := o.stop(p)
		switch {
		case errors.Is(context.Cause(ctx), errTimeout):
			return TimedOut, Timeout, err
		case graceful:
			return code, Stopped, err
		}
		return code, Forced, err
	}
}

// hear hands on a message of the job, and tells whether it says that an allocation was refused.
func (o *Options) hear(m jobobject.Message) (refused bool) {
	if o.Message != nil {
		o.Message(m)
	}
	return m.Kind == jobobject.JobMemoryLimit || m.Kind == jobobject.ProcessMemoryLimit
}

// hearRest hears the messages that have come and were not read yet.
func (o *Options) hearRest() (refused bool) {
	for {
		select {
		case m, ok := <-o.Job.Messages():
			if !ok {
				return refused
			}
			refused = o.hear(m) || refused
		default:
			return refused
		}
	}
}

// stop raises one signal after the other and terminates the job when none was answered. graceful tells that one was.
func (o *Options) stop(p *jobobject.Process) (code uint32, graceful bool, err error) {
	for _, s := range o.Signals {
		switch err := p.Signal(jobobject.ConsoleEvent(s)); {
		case errors.Is(err, jobobject.ErrExited):
		case err != nil:
			continue // a process that cannot be signalled gets no grace from this one
		}
		timer := time.NewTimer(o.Grace)
		select {
		case <-p.Exited():
			timer.Stop()
			code, err := p.Wait(context.Background())
			return code, true, err
		case <-timer.C:
		}
	}
	if err := o.Job.Terminate(Killed); err != nil {
		return Killed, false, err
	}
	code, err = p.Wait(context.Background())
	return code, false, err
}
