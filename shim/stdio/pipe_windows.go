package stdio

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/pipe"
)

// filePath turns the path of a file URI, /C:/dir/x, into a path.
func filePath(path string) string {
	return filepath.FromSlash(strings.TrimPrefix(path, "/"))
}

// isLocal reports whether path is a file's on a drive of this host. \\server\share\, devices such as C:\x\NUL, alternate data
// streams and paths that climb above the drive are refused.
func isLocal(path string) bool {
	return len(path) > 3 && path[1] == ':' && filepath.IsAbs(path) && filepath.IsLocal(path[3:])
}

// isProgram reports whether path is that of a program. A script would be run by a shell.
func isProgram(path string) bool { return strings.EqualFold(filepath.Ext(path), ".exe") }

// listenPipe makes a pipe for a logging program.
func listenPipe(name string) (net.Listener, string, error) {
	path := pipe.Local + name
	l, err := pipe.Listen(path)
	return l, path, err
}

// Access of the program's ends, as CreatePipe gives it: runtimes also query
// the state of their pipes.
const (
	readAccess  = windows.GENERIC_READ | windows.FILE_WRITE_ATTRIBUTES
	writeAccess = windows.GENERIC_WRITE | windows.FILE_READ_ATTRIBUTES
)

// inputPipe makes the pipe of the program's stdin.
func inputPipe() (ours, theirs *os.File, err error) {
	return makePipe(windows.PIPE_ACCESS_OUTBOUND, readAccess)
}

// outputPipe makes the pipe of the program's stdout or stderr.
func outputPipe() (ours, theirs *os.File, err error) {
	return makePipe(windows.PIPE_ACCESS_INBOUND, writeAccess)
}

// makePipe makes a pipe with an end of ours for overlapped I/O, so that a read
// takes no thread and can be interrupted, and a plain one for the program, as
// programs expect it. CreatePipe's two ends are both plain.
//
// No ConnectNamedPipe follows: an instance listens from its creation, and the
// one client it will ever have is opened right here.
func makePipe(direction, access uint32) (ours, theirs *os.File, err error) {
	name, err := windows.UTF16PtrFromString(pipe.Local + "silo-" + rand.Text())
	if err != nil {
		return nil, nil, err
	}
	server, err := createServer(name, direction)
	if err != nil {
		return nil, nil, fmt.Errorf("create named pipe: %w", err)
	}
	client, err := windows.CreateFile(name, access, 0, nil, windows.OPEN_EXISTING, windows.SECURITY_SQOS_PRESENT|windows.SECURITY_ANONYMOUS, 0)
	if err != nil {
		_ = windows.CloseHandle(server)
		return nil, nil, fmt.Errorf("open named pipe: %w", err)
	}
	return os.NewFile(uintptr(server), "stdio"), os.NewFile(uintptr(client), "stdio"), nil
}

// createServer makes the only instance of a pipe. It fails when the name is in
// use, so another process cannot have made it beforehand. The program needs no
// entry in the descriptor: its end is opened here and inherited.
//
//	HANDLE CreateNamedPipeW(LPCWSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode, DWORD nMaxInstances,
//	    DWORD nOutBufferSize, DWORD nInBufferSize, DWORD nDefaultTimeOut, LPSECURITY_ATTRIBUTES sa);
//
// https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-createnamedpipew
func createServer(name *uint16, direction uint32) (windows.Handle, error) {
	sa, err := pipe.SecurityAttributes(pipe.Administrators)
	if err != nil {
		return 0, err
	}
	return windows.CreateNamedPipe(name,
		direction|windows.FILE_FLAG_OVERLAPPED|windows.FILE_FLAG_FIRST_PIPE_INSTANCE,
		windows.PIPE_TYPE_BYTE|windows.PIPE_READMODE_BYTE|windows.PIPE_WAIT|windows.PIPE_REJECT_REMOTE_CLIENTS,
		1, chunkSize, chunkSize, 0, sa)
}

// BOOL PeekNamedPipe(HANDLE hNamedPipe, LPVOID lpBuffer, DWORD nBufferSize,
// LPDWORD lpBytesRead, LPDWORD lpTotalBytesAvail, LPDWORD lpBytesLeftThisMessage);
//
// https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-peeknamedpipe
var procPeekNamedPipe = windows.NewLazySystemDLL("kernel32.dll").NewProc("PeekNamedPipe")

// pending returns how many bytes can be read from r, 0 when that is unknown,
// and an error when r is a pipe whose other end is closed and that is empty.
func pending(r any) (n int, err error) {
	switch r := r.(type) {
	case syscall.Conn: // os.File, whose Fd method would take it from the poller
		raw, err := r.SyscallConn()
		if err != nil {
			return 0, err
		}
		var peekErr error
		if err := raw.Control(func(fd uintptr) { n, peekErr = peek(fd) }); err != nil {
			return 0, err
		}
		return n, peekErr
	case interface{ Fd() uintptr }: // go-winio's connections
		return peek(r.Fd())
	default:
		return 0, nil
	}
}

func peek(handle uintptr) (int, error) {
	var available uint32
	ok, _, err := procPeekNamedPipe.Call(handle, 0, 0, 0, uintptr(unsafe.Pointer(&available)), 0)
	if ok == 0 {
		return 0, err
	}
	return int(available), nil
}

// stillOpen reports whether an end of file read from r was none: a program that
// writes zero bytes makes the reader's call return zero bytes as well, which Go
// takes for the end. A pipe that has ended cannot be peeked at.
func stillOpen(r any) bool {
	if _, ok := r.(syscall.Conn); !ok {
		return false
	}
	_, err := pending(r)
	return err == nil
}

// serverProcess is a handle with the right SYNCHRONIZE to the process.
type serverProcess windows.Handle

// serverOf returns the process that made the client's pipe, nil where that is
// unknown. It is known also after the client has closed its end.
//
//	BOOL GetNamedPipeServerProcessId(HANDLE Pipe, PULONG ServerProcessId);
//
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnamedpipeserverprocessid
func serverOf(client net.Conn) server {
	pipe, ok := client.(interface{ Fd() uintptr })
	if !ok {
		return nil
	}
	var pid uint32
	if windows.GetNamedPipeServerProcessId(windows.Handle(pipe.Fd()), &pid) != nil {
		return nil
	}
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, pid)
	if err != nil {
		return nil
	}
	return serverProcess(process)
}

func (p serverProcess) running() bool {
	event, err := windows.WaitForSingleObject(windows.Handle(p), 0)
	return err == nil && event == uint32(windows.WAIT_TIMEOUT)
}

func (p serverProcess) close() { _ = windows.CloseHandle(windows.Handle(p)) }
