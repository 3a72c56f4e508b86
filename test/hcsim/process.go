package main

import (
	"context"
	"errors"
	"os"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// process is a real process in a system's job.
type process struct {
	// Immutable.
	system  *system
	process *jobobject.Process
	console *jobobject.Console // nil without one
	pipes   pipes
	ended   chan struct{} // closed when the exit was announced

	// Guarded by world.
	exit *event
	last string // the status since the exit
}

// createProcess starts a process, which runs when this returns. The operation returns its pid and pipes.
func createProcess(op, h uintptr, document string) (uintptr, error) {
	s, err := systemOf(h)
	if err != nil {
		return 0, err
	}
	var parameters schema.ProcessParameters
	if schema.Unmarshal([]byte(document), &parameters) != nil || parameters.CommandLine == "" {
		return 0, hcs.CodeInvalidJSON
	}
	world.Lock()
	state := s.state
	world.Unlock()
	switch state {
	case schema.StateStopped:
		return 0, hcs.CodeSystemAlreadyStopped
	case schema.StateRunning:
	default:
		return 0, hcs.CodeInvalidState
	}
	p := &process{system: s, ended: make(chan struct{})}
	if err := p.launch(&parameters); err != nil {
		return 0, codeOf(err)
	}
	world.Lock()
	defer world.Unlock()
	s.processes = append(s.processes, p)
	go p.watch()
	if o := world.operations[op]; o != nil {
		o.info = information{p.process.Pid(), p.pipes.stdin, p.pipes.stdout, p.pipes.stderr}
	}
	return openLocked(s, p), completeLocked(op)
}

func (p *process) launch(parameters *schema.ProcessParameters) (err error) {
	o := jobobject.ProcessOptions{CommandLine: parameters.CommandLine, Dir: parameters.WorkingDirectory, Env: os.Environ()}
	for name, value := range parameters.Environment {
		o.Env = append(o.Env, name+"="+value)
	}
	if parameters.EmulateConsole {
		p.console, err = p.pipes.openConsole(parameters.ConsoleSize)
		o.Console = p.console
	} else {
		o.Stdin, o.Stdout, o.Stderr, err = p.pipes.open(parameters)
	}
	if err != nil {
		return err
	}
	p.process, err = p.system.job.Start(o)
	p.pipes.started(err)
	return err
}

// watch announces the exit.
func (p *process) watch() {
	code, err := p.process.Wait(context.Background())
	if p.console != nil {
		_ = p.console.Close() // this ends its output
	}
	_ = p.process.Close() // an open handle keeps the job and its name
	// On Windows the document of the event need not have Exited.
	status := schema.ProcessStatus{ProcessId: p.process.Pid(), ExitCode: code}
	if err != nil {
		status.LastWaitResult = int32(codeOf(err))
	}
	world.Lock()
	defer world.Unlock()
	p.exit = &event{hcs.EventProcessExited, encode(status)}
	status.Exited = true
	p.last = encode(status)
	announceLocked(p.system, p, *p.exit)
	close(p.ended)
}

func openProcess(h uintptr, pid uint32) (uintptr, error) {
	s, err := systemOf(h)
	if err != nil {
		return 0, err
	}
	world.Lock()
	defer world.Unlock()
	for _, p := range s.processes {
		if p.process.Pid() == pid && p.exit == nil {
			return openLocked(s, p), nil
		}
	}
	return 0, hcs.CodeWin32ElementNotFound
}

// exitAnnounced reports whether the exit was announced.
func (p *process) exitAnnounced() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) terminate() error {
	if p.exitAnnounced() {
		return hcs.CodeProcessAlreadyStopped
	}
	return p.whileRunning(hcs.CodeWin32AccessDenied, func() error { return p.process.Terminate(1) })
}

// whileRunning calls call. It returns code if the process has exited and the exit was not announced yet.
func (p *process) whileRunning(code hcs.Code, call func() error) error {
	if p.exited() {
		return code
	}
	if err := call(); !errors.Is(err, jobobject.ErrClosed) && !errors.Is(err, jobobject.ErrExited) {
		return err
	}
	return code
}

// exited queries the kernel, which has the exit before it is announced here.
func (p *process) exited() bool {
	kernel := jobobject.System()
	h, err := kernel.OpenProcess(p.process.Pid(), jobobject.ProcessQueryLimited)
	if err != nil {
		return errors.Is(err, jobobject.ErrNotExist)
	}
	_, exited, err := kernel.ExitCode(h)
	return errors.Join(err, kernel.CloseHandle(h)) == nil && exited
}

// controls are the console control events by their names in documents.
var controls = map[schema.ProcessSignal]jobobject.ConsoleEvent{
	schema.CtrlC: jobobject.CtrlC, schema.CtrlBreak: jobobject.CtrlBreak, schema.CtrlClose: jobobject.CtrlClose,
	schema.CtrlLogOff: jobobject.CtrlLogoff, schema.CtrlShutdown: jobobject.CtrlShutdown,
}

func (p *process) signal(document string) error {
	var o schema.SignalProcessOptions
	if schema.Unmarshal([]byte(document), &o) != nil {
		return hcs.CodeInvalidJSON
	}
	number, ok := controls[o.Signal]
	if !ok {
		return hcs.CodeWin32InvalidArgument
	}
	if p.exitAnnounced() {
		return hcs.CodeProcessAlreadyStopped
	}
	return p.whileRunning(hcs.CodeInvalidState, func() error { return p.process.Signal(number) })
}

func (p *process) modify(document string) error {
	var r schema.ProcessModifyRequest
	if schema.Unmarshal([]byte(document), &r) != nil {
		return hcs.CodeInvalidJSON
	}
	switch {
	case p.exitAnnounced():
		return hcs.CodeProcessAlreadyStopped
	case r.ConsoleSize != nil && p.console != nil:
		err := p.console.Resize(r.ConsoleSize.Width, r.ConsoleSize.Height)
		if err != nil {
			note("resize", err.Error()) // Wine's consoles keep their size
		}
		return nil
	case r.CloseHandle != nil:
		return nil // on Wine the reader of a pipe sees its end when the caller closes it
	}
	return hcs.CodeWin32InvalidArgument
}

// status is the result of HcsGetProcessProperties.
func (p *process) status() string {
	world.Lock()
	defer world.Unlock()
	if p.exit != nil {
		return p.last
	}
	return encode(schema.ProcessStatus{ProcessId: p.process.Pid()})
}
