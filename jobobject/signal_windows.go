package jobobject

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/windows"
)

var (
	procCreateRemoteThread = modkernel32.NewProc("CreateRemoteThread")
	procCtrlRoutine        = modkernel32.NewProc("CtrlRoutine")
)

// SignalProcess starts a thread in process at kernel32's CtrlRoutine, where the
// console system starts one too when a key is pressed. The DLL sits at one
// address in all processes of the same machine type, so ours is theirs. hcsshim
// signals job containers so (signalProcess of its internal/jobcontainers).
//
// HANDLE CreateRemoteThread(HANDLE hProcess, LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
// LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter, DWORD dwCreationFlags, LPDWORD lpThreadId)
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createremotethread
func (system) SignalProcess(process Handle, event ConsoleEvent) error {
	if err := procCtrlRoutine.Find(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSupported, err)
	}
	if err := sameMachine(windows.Handle(process)); err != nil {
		return err
	}
	r, _, e := syscall.SyscallN(procCreateRemoteThread.Addr(), uintptr(process), 0, 0, procCtrlRoutine.Addr(), uintptr(event), 0, 0)
	if r == 0 {
		return e
	}
	return windows.CloseHandle(windows.Handle(r))
}

// sameMachine refuses a process of another machine type: a thread at our
// address would run whatever lies there in its own DLLs.
func sameMachine(process windows.Handle) error {
	var theirs, ours, native uint16
	if err := windows.IsWow64Process2(process, &theirs, &native); err != nil {
		return err
	}
	if err := windows.IsWow64Process2(windows.CurrentProcess(), &ours, &native); err != nil {
		return err
	}
	if theirs != ours {
		return fmt.Errorf("%w: the process is of machine type %#x, this one of %#x", ErrNotSupported, theirs, ours)
	}
	return nil
}
