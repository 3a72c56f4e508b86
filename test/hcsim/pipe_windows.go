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

// pipes are the streams of a process: the caller's ends as raw handles, which the caller owns, and the process's ends.
type pipes struct {
	stdin, stdout, stderr uintptr
	theirs                []*os.File // the process's ends, to close when it has them
}

// serial makes the names of pipes unique.
var serial atomic.Int64

// pipe creates a pipe. The caller's end is overlapped, as with the real service.
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
		_ = windows.CloseHandle(server) // it was not used
		return 0, nil, err
	}
	theirs = os.NewFile(uintptr(client), "pipe")
	p.theirs = append(p.theirs, theirs)
	return uintptr(server), theirs, nil
}

// open creates the streams that the parameters request.
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

// openConsole creates a console and copies its bytes to and from the caller's pipes.
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

// carry copies to the end and closes both sides. Their errors are ignored.
func carry(to io.WriteCloser, from io.ReadCloser) {
	_, _ = io.Copy(to, from)
	_, _ = to.Close(), from.Close()
}

// started closes the process's ends, and after a failure all handles.
func (p *pipes) started(err error) {
	for _, f := range p.theirs {
		_ = f.Close() // nothing was buffered
	}
	if err == nil {
		return
	}
	for _, h := range []uintptr{p.stdin, p.stdout, p.stderr} {
		if h != 0 {
			_ = windows.CloseHandle(windows.Handle(h)) // the caller has not got it
		}
	}
}
