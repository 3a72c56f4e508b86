package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// pipes are the streams of a process: our caller's ends as raw handles, which it takes over, and the process's.
type pipes struct {
	stdin, stdout, stderr uintptr
	theirs                []*os.File // to close when the process has them
}

// serial makes the names of pipes unique.
var serial atomic.Int64

// pipe makes one. The caller's end is overlapped, as that of the service is.
func (p *pipes) pipe(toProcess bool) (ours uintptr, theirs *os.File, err error) {
	name, err := windows.UTF16PtrFromString(fmt.Sprintf(`\\.\pipe\hcsim-%d-%d`, os.Getpid(), serial.Add(1)))
	if err != nil {
		return 0, nil, err
	}
	direction, access := uint32(windows.PIPE_ACCESS_INBOUND), uint32(windows.GENERIC_WRITE)
	if toProcess {
		direction, access = windows.PIPE_ACCESS_OUTBOUND, windows.GENERIC_READ
	}
	server, err := windows.CreateNamedPipe(name, direction|windows.FILE_FLAG_OVERLAPPED, windows.PIPE_TYPE_BYTE, 1, 1<<16, 1<<16, 0, nil)
	if err != nil {
		return 0, nil, err
	}
	client, err := windows.CreateFile(name, access, 0, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		_ = windows.CloseHandle(server) // it was never used
		return 0, nil, err
	}
	theirs = os.NewFile(uintptr(client), "pipe")
	p.theirs = append(p.theirs, theirs)
	return uintptr(server), theirs, nil
}

// open makes the streams that were asked for.
func (p *pipes) open(parameters *schema.ProcessParameters) (stdin, stdout, stderr *os.File, err error) {
	if parameters.CreateStdInPipe {
		if p.stdin, stdin, err = p.pipe(true); err != nil {
			return
		}
	}
	if parameters.CreateStdOutPipe {
		if p.stdout, stdout, err = p.pipe(false); err != nil {
			return
		}
	}
	if parameters.CreateStdErrPipe {
		p.stderr, stderr, err = p.pipe(false)
	}
	return
}

// openConsole makes a console and carries its bytes to and from the caller's pipes.
func (p *pipes) openConsole(size []uint16) (*jobobject.Console, error) {
	width, height := uint16(80), uint16(25)
	if len(size) == 2 {
		height, width = size[0], size[1]
	}
	console, err := jobobject.NewConsole(jobobject.ConsoleOptions{Width: width, Height: height})
	if err != nil {
		return nil, err
	}
	ours, typed, err := p.pipe(true)
	if err != nil {
		return nil, err
	}
	p.stdin = ours
	ours, shown, err := p.pipe(false)
	if err != nil {
		return nil, err
	}
	p.stdout, p.theirs = ours, nil
	go carry(console.In, typed)
	go carry(shown, console.Out)
	return console, nil
}

// carry copies to the end and closes both sides, whose errors have nobody to hear them.
func carry(to io.WriteCloser, from io.ReadCloser) {
	_, _ = io.Copy(to, from)
	_, _ = to.Close(), from.Close()
}

// started closes what the process has by now, and after a failure everything.
func (p *pipes) started(err error) {
	for _, f := range p.theirs {
		_ = f.Close() // nothing was buffered
	}
	if err == nil {
		return
	}
	for _, h := range []uintptr{p.stdin, p.stdout, p.stderr} {
		if h != 0 {
			_ = windows.CloseHandle(windows.Handle(h)) // nobody has seen it
		}
	}
}
