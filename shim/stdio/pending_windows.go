package stdio

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// BOOL PeekNamedPipe(HANDLE hNamedPipe, LPVOID lpBuffer, DWORD nBufferSize,
// LPDWORD lpBytesRead, LPDWORD lpTotalBytesAvail, LPDWORD lpBytesLeftThisMessage);
//
// https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-peeknamedpipe
var procPeekNamedPipe = windows.NewLazySystemDLL("kernel32.dll").NewProc("PeekNamedPipe")

// pending returns how many bytes wait to be read from r, 0 when r cannot tell,
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

// stillOpen says whether an end of file met on r was none: a program that
// writes zero bytes makes the reader's call return zero bytes as well, which Go
// takes for the end. A pipe that has ended cannot be peeked at.
func stillOpen(r any) bool {
	if _, ok := r.(syscall.Conn); !ok {
		return false
	}
	_, err := pending(r)
	return err == nil
}
