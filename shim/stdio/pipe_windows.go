package stdio

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// pipeSDDL lets the system and administrators at a pipe, and nobody else: the
// default lets every user of the host read it. The program needs no entry, its
// end is opened here and inherited.
const pipeSDDL = "D:P(A;;GA;;;SY)(A;;GA;;;BA)"

// Access of the program's ends, as CreatePipe gives it: runtimes also ask a
// pipe of theirs about its state.
const (
	readAccess  = windows.GENERIC_READ | windows.FILE_WRITE_ATTRIBUTES
	writeAccess = windows.GENERIC_WRITE | windows.FILE_READ_ATTRIBUTES
)

// inputPipe makes the pipe of the program's stdin.
func inputPipe() (ours io.WriteCloser, theirs *os.File, err error) {
	w, r, err := makePipe(windows.PIPE_ACCESS_OUTBOUND, readAccess)
	if err != nil {
		return nil, nil, err
	}
	return w, r, nil
}

// outputPipe makes the pipe of the program's stdout or stderr.
func outputPipe() (ours io.ReadCloser, theirs *os.File, err error) {
	r, w, err := makePipe(windows.PIPE_ACCESS_INBOUND, writeAccess)
	if err != nil {
		return nil, nil, err
	}
	return r, w, nil
}

// makePipe makes a pipe with an end of ours for overlapped I/O, so that a read
// takes no thread and can be interrupted, and a plain one for the program, as
// programs expect it. CreatePipe's two ends are both plain.
//
// No ConnectNamedPipe follows: an instance listens from its creation, and the
// one client it will ever have is opened right here.
func makePipe(direction, access uint32) (ours, theirs *os.File, err error) {
	name, err := windows.UTF16PtrFromString(pipePrefix + "silo-" + nonce())
	if err != nil {
		return nil, nil, err
	}
	server, err := createServer(name, direction)
	if err != nil {
		return nil, nil, fmt.Errorf("create named pipe: %w", err)
	}
	client, err := windows.CreateFile(name, access, 0, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		_ = windows.CloseHandle(server)
		return nil, nil, fmt.Errorf("open named pipe: %w", err)
	}
	return os.NewFile(uintptr(server), "stdio"), os.NewFile(uintptr(client), "stdio"), nil
}

// createServer makes the only instance of a pipe; it fails when the name is in
// use, so nobody can have prepared one for us.
//
//	HANDLE CreateNamedPipeW(LPCWSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode, DWORD nMaxInstances,
//	    DWORD nOutBufferSize, DWORD nInBufferSize, DWORD nDefaultTimeOut, LPSECURITY_ATTRIBUTES sa);
//
// https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-createnamedpipew
func createServer(name *uint16, direction uint32) (windows.Handle, error) {
	sd, err := windows.SecurityDescriptorFromString(pipeSDDL)
	if err != nil {
		return 0, err
	}
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	return windows.CreateNamedPipe(name,
		direction|windows.FILE_FLAG_OVERLAPPED|windows.FILE_FLAG_FIRST_PIPE_INSTANCE,
		windows.PIPE_TYPE_BYTE|windows.PIPE_READMODE_BYTE|windows.PIPE_WAIT|windows.PIPE_REJECT_REMOTE_CLIENTS,
		1, chunkSize, chunkSize, 0, sa)
}

// nonce returns 128 random bits as text that nobody can guess.
func nonce() string { return rand.Text() }
