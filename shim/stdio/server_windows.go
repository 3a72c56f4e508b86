package stdio

import (
	"net"

	"golang.org/x/sys/windows"
)

// serverProcess is a handle with the right SYNCHRONIZE to the process.
type serverProcess windows.Handle

// serverOf returns the process that made the client's pipe, nil where that
// cannot be found out. The answer does not depend on whether the client has hung
// up already.
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

func (p serverProcess) lives() bool {
	event, err := windows.WaitForSingleObject(windows.Handle(p), 0)
	return err == nil && event == uint32(windows.WAIT_TIMEOUT)
}

func (p serverProcess) close() { _ = windows.CloseHandle(windows.Handle(p)) }
