package jobobject

import (
	"context"
	"errors"
	"os"
)

// ProcessOptions describe a process to start.
type ProcessOptions struct {
	// Application is the full path of the image. Empty lets the kernel take it
	// from the first word of CommandLine.
	Application string
	// CommandLine is handed over as it is; the program splits it by its own rules.
	CommandLine string
	// Dir is the working directory, empty for this process's own.
	Dir string
	// Env is the whole environment as KEY=VALUE, in any order. Of two entries
	// whose keys differ in case at most, the last counts. Empty means empty.
	Env []string
	// Stdin, Stdout and Stderr are the child's ends. They stay the caller's, who
	// may close them when Start has returned. A nil one reads and writes nothing,
	// as NUL does. Nothing but these three is inherited.
	Stdin, Stdout, Stderr *os.File
	// Token is a primary token of the user to run as; 0 is the caller's own.
	Token uintptr
	// Console takes the place of the three files.
	Console *Console
	// BreakAway starts the process outside of the jobs that the calling process
	// is in, as far as those allow it. Without it, and where a job does not allow
	// it, the job of the new process is nested in them and is bound by their
	// limits as well.
	//
	// https://learn.microsoft.com/windows/win32/procthread/nested-jobs
	BreakAway bool
}

// check refuses what the kernel would misread, without repeating any content.
func (p *ProcessOptions) check() error {
	if p.Application == "" && p.CommandLine == "" {
		return errors.New("neither application nor command line is given")
	}
	if p.Console != nil && (p.Stdin != nil || p.Stdout != nil || p.Stderr != nil) {
		return errors.New("a console excludes stdin, stdout and stderr")
	}
	if err := checkText("application", p.Application); err != nil {
		return err
	}
	if err := checkText("command line", p.CommandLine); err != nil {
		return err
	}
	return checkText("working directory", p.Dir)
}

// Process is a process started by [Job.Start]. It holds the process open, so its
// pid means this process and no other until Close. All methods are safe for
// concurrent use, also with Close.
type Process struct {
	// Immutable after Start.
	job    string
	kernel Kernel
	handle *handle
	pid    uint32
	exited <-chan struct{}
}

// Start starts a process that is a member of the job from its first
// instruction, so nothing it does escapes the job. A program that is not there
// is [ErrNotExist], a missing working directory [ErrNotDirectory], and a file that
// is no program [ErrNotExecutable].
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-updateprocthreadattribute
func (j *Job) Start(p ProcessOptions) (*Process, error) {
	return query(j, "start process in job", func(job Handle) (*Process, error) { return j.start(job, &p) })
}

func (j *Job) start(job Handle, o *ProcessOptions) (*Process, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	env, err := cleanEnvironment(o.Env)
	if err != nil {
		return nil, err
	}
	o.Env = env
	h, pid, err := j.kernel.CreateProcess(job, o)
	if err != nil {
		return nil, err
	}
	exited, stop, err := j.kernel.WatchExit(h)
	if err != nil {
		// Nobody would ever hear of its end, so it must not live.
		return nil, errors.Join(err, j.kernel.TerminateProcess(h, 1), j.kernel.CloseHandle(h))
	}
	give := func() error {
		stop()
		return j.kernel.CloseHandle(h)
	}
	return &Process{job: j.name, kernel: j.kernel, handle: newHandle(h, give), pid: pid, exited: exited}, nil
}

// Pid is the process id.
func (p *Process) Pid() uint32 { return p.pid }

// Exited returns a channel that is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait returns the exit code once the process has ended; ctx ends the wait early
// with its error, Close with [ErrClosed]. Any number of callers may wait; none
// costs a goroutine or a thread. The end is reported by a thread of the kernel,
// which Go's runtime does not know of: a program in which every goroutine waits
// like this, and no timer, signal handler or read is pending, is taken for
// deadlocked and ended. A program that waits for nothing else calls
// [os/signal.Notify], which it needs for Ctrl+C anyway.
func (p *Process) Wait(ctx context.Context) (exitCode uint32, err error) {
	select {
	case <-p.exited:
	default:
		select {
		case <-p.exited:
		case <-p.handle.closed:
			return 0, p.fail("wait for process", ErrClosed)
		case <-ctx.Done():
			return 0, p.fail("wait for process", context.Cause(ctx))
		}
	}
	err = p.with("wait for process", func(h Handle) error {
		exitCode, _, err = p.kernel.ExitCode(h)
		return err
	})
	return exitCode, err
}

// Terminate ends the process with code, at once and without its consent. One
// that has ended already is no error.
func (p *Process) Terminate(code uint32) error {
	return p.with("terminate process", func(h Handle) error {
		err := p.kernel.TerminateProcess(h, code)
		if err != nil && p.ended(h) {
			return nil
		}
		return err
	})
}

// Signal raises event in the process and in no other, with or without a console.
// The program may handle the event; without a handler it ends. A process that has
// ended is [ErrExited].
func (p *Process) Signal(event ConsoleEvent) error {
	return p.with("signal process", func(h Handle) error {
		err := p.kernel.SignalProcess(h, event)
		if err != nil && p.ended(h) {
			return ErrExited
		}
		return err
	})
}

// ended asks after a refusal whether the end of the process was the reason.
func (p *Process) ended(h Handle) bool {
	_, exited, err := p.kernel.ExitCode(h)
	return err == nil && exited
}

// Close gives up the process without ending it. Further calls do nothing.
func (p *Process) Close() error {
	_, err := p.handle.close()
	return p.fail("close process", err)
}

func (p *Process) with(op string, call func(Handle) error) error {
	h, err := p.handle.acquire()
	if err != nil {
		return p.fail(op, err)
	}
	defer p.handle.release()
	return p.fail(op, call(h))
}

func (p *Process) fail(op string, err error) error {
	return fail(op+" of job", p.job, err)
}
