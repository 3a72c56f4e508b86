package jobobject

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/siloshim/siloshim/internal/commandline"
)

// ProcessOptions describe a process to start.
type ProcessOptions struct {
	// Application is the full path of the image. Empty lets the kernel take it
	// from the first word of CommandLine.
	Application string
	// CommandLine is passed on unchanged; the program splits it by its own rules.
	CommandLine string
	// Args is the command line as a list, in the place of CommandLine. Args[0] is the
	// program by the name that it sees. The arguments are quoted as CommandLineToArgvW
	// and the C runtime split them. A program with other rules, such as cmd.exe, needs
	// CommandLine.
	//
	// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
	Args []string
	// Dir is the working directory, empty for this process's own.
	Dir string
	// Env is the whole environment as KEY=VALUE, in any order. Of two entries
	// whose keys differ in case at most, the last counts. Empty means empty.
	Env []string
	// Stdin, Stdout and Stderr are the child's ends. The caller still owns them and
	// may close them when Start has returned. nil means NUL. The child inherits
	// nothing else.
	Stdin, Stdout, Stderr *os.File
	// Token is a primary token of the user to run as; 0 is the caller's own.
	Token uintptr
	// Console takes the place of the three files, which are then nil.
	Console *Console
	// ConsoleOf is a process whose console the new one shares. nil gives it a console
	// without a window for itself alone. So does Start if ConsoleOf has no console
	// (yet), has ended or was closed, if this process has a console, or if Windows
	// refuses. Windows starts a console host for each console, which is a member of
	// the job as well.
	//
	// All processes on a console see its title, code pages and input, and a
	// CTRL_C_EVENT for process group 0 reaches them all. [Process.Signal] still
	// reaches one. The console exists until the last of them has ended.
	//
	// Start attaches this process to the console during the creation, or a little
	// longer. Attachments and [Job.Terminate] exclude each other in this process. A
	// Start that has waited for 2 seconds makes a new console. From the first such
	// Start on, this process ignores CTRL_C_EVENT and CTRL_BREAK_EVENT, and handlers
	// that were registered before are removed, among them that of package os/signal.
	// A program that this process starts meanwhile by other means inherits the
	// console, unless its creation flags say otherwise.
	//
	// https://learn.microsoft.com/windows/console/attachconsole
	// https://learn.microsoft.com/windows/console/registering-a-control-handler-function
	ConsoleOf *Process
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
	switch {
	case p.CommandLine != "" && len(p.Args) > 0:
		return errors.New("both a command line and arguments are given")
	case p.Application == "" && p.CommandLine == "" && len(p.Args) == 0:
		return errors.New("no application, command line or arguments are given")
	}
	if p.Console != nil && (p.Stdin != nil || p.Stdout != nil || p.Stderr != nil) {
		return errors.New("a console excludes stdin, stdout and stderr")
	}
	if p.Console != nil && p.ConsoleOf != nil {
		return errors.New("a new console and that of another process are given")
	}
	if err := checkText("application", p.Application); err != nil {
		return err
	}
	if err := checkText("command line", p.CommandLine); err != nil {
		return err
	}
	return checkText("working directory", p.Dir)
}

// commandLineOf returns the command line that CommandLineToArgvW and the C runtime
// of Windows split into args. Errors give the index of an argument and never its
// text.
//
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
func commandLineOf(args []string) (string, error) {
	for i, arg := range args {
		if err := checkText(fmt.Sprintf("argument %d", i), arg); err != nil {
			return "", err
		}
	}
	if len(args) > 0 && strings.Contains(args[0], `"`) {
		return "", errors.New("argument 0, the program, has a quotation mark")
	}
	return commandline.Join(args), nil
}

// Process is a process started by [Job.Start]. No other process gets its pid before
// Close. All methods are safe for concurrent use, also with Close.
type Process struct {
	// Immutable after Start.
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
	return lend(j.handle, "start process in job", func(_ Kernel, job Handle) (*Process, error) { return j.start(job, &p) })
}

func (j *Job) start(job Handle, o *ProcessOptions) (*Process, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	var err error
	if len(o.Args) > 0 {
		if o.CommandLine, err = commandLineOf(o.Args); err != nil {
			return nil, err
		}
		o.Args = nil
	}
	if o.Env, err = cleanEnvironment(o.Env); err != nil {
		return nil, err
	}
	h, pid, err := j.create(job, o)
	if err != nil {
		return nil, err
	}
	exited, stop, err := j.kernel.WatchExit(h)
	if err != nil {
		// Its end could not be seen, so it must not run.
		return nil, errors.Join(err, j.kernel.TerminateProcess(h, 1), j.kernel.CloseHandle(h))
	}
	process := newHandle(j.kernel, h, j.name, 0, func(h Handle) error {
		stop()
		return j.kernel.CloseHandle(h)
	})
	return &Process{handle: process, pid: pid, exited: exited}, nil
}

// create keeps the handle of the process that has the console open, so that no other
// process has its pid meanwhile.
func (j *Job) create(job Handle, o *ProcessOptions) (Handle, uint32, error) {
	if other := o.ConsoleOf; other != nil {
		if _, err := other.handle.Acquire(); err != nil {
			o.ConsoleOf = nil
		} else {
			defer other.handle.Release() //nolint:errcheck // close has returned, so nothing can report this error
		}
	}
	return j.kernel.CreateProcess(job, o)
}

// Pid is the process id.
func (p *Process) Pid() uint32 { return p.pid }

// Exited returns a channel that is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait returns the exit code once the process has ended. ctx ends the wait early with
// its cause, Close ends it with [ErrClosed]. Any number of goroutines may wait; a wait
// occupies no thread.
func (p *Process) Wait(ctx context.Context) (exitCode uint32, err error) {
	const op = "wait for process of job"
	select {
	case <-p.exited:
	default:
		select {
		case <-p.exited:
		case <-p.handle.Closed():
			return 0, p.handle.fail(op, ErrClosed)
		case <-ctx.Done():
			return 0, p.handle.fail(op, context.Cause(ctx))
		}
	}
	return lend(p.handle, op, func(k Kernel, h Handle) (uint32, error) {
		code, _, err := k.ExitCode(h)
		return code, err
	})
}

// Terminate ends the process with exit code code, without its consent. A process that
// has ended is no error.
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminateprocess
func (p *Process) Terminate(code uint32) error {
	return p.handle.do("terminate process of job", func(k Kernel, h Handle) error {
		err := k.TerminateProcess(h, code)
		if err != nil && ended(k, h) {
			return nil
		}
		return err
	})
}

// Signal raises event in the process and in no other, with or without a console.
// The program may handle the event; without a handler it ends. A process that has
// ended is [ErrExited].
func (p *Process) Signal(event ConsoleEvent) error {
	return p.handle.do("signal process of job", func(k Kernel, h Handle) error {
		err := k.SignalProcess(h, event)
		if err != nil && ended(k, h) {
			return ErrExited
		}
		return err
	})
}

// Close closes the handle and does not end the process. Further calls do nothing.
func (p *Process) Close() error {
	_, err := p.handle.Close()
	return p.handle.fail("close process of job", err)
}
