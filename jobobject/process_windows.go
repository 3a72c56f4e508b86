package jobobject

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
)

func (system) OpenProcess(pid uint32, access ProcessAccess) (Handle, error) {
	h, err := windows.OpenProcess(uint32(access), false, pid)
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		// The kernel returns this code if no process has the pid.
		return 0, fmt.Errorf("%w: %w", ErrNotExist, err)
	}
	return Handle(h), err
}

func (system) TerminateProcess(process Handle, code uint32) error {
	return windows.TerminateProcess(windows.Handle(process), code)
}

// The handle's state decides, not the code: 259, the code that stands for "still
// active", is one that a program may well end with.
func (system) ExitCode(process Handle) (code uint32, exited bool, err error) {
	event, err := windows.WaitForSingleObject(windows.Handle(process), 0)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		// Opened without the right to wait, as for statistics.
		err = windows.GetExitCodeProcess(windows.Handle(process), &code)
		const stillActive = 259
		return code, err == nil && code != stillActive, err
	}
	if err != nil || event == uint32(windows.WAIT_TIMEOUT) {
		return 0, false, err
	}
	err = windows.GetExitCodeProcess(windows.Handle(process), &code)
	return code, err == nil, err
}

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

func (system) WatchExit(process Handle) (<-chan struct{}, func(), error) {
	return winsys.Watch(windows.Handle(process))
}
