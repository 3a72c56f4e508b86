package jobobject

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
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

var (
	procRegisterWaitForSingleObject = modkernel32.NewProc("RegisterWaitForSingleObject")
	procUnregisterWaitEx            = modkernel32.NewProc("UnregisterWaitEx")
)

// Flags of RegisterWaitForSingleObject.
const (
	executeInWaitThread = 0x4
	executeOnlyOnce     = 0x8
)

// watches maps the number that a wait carries to the channel it closes. Numbers
// and not pointers, as the kernel keeps them where Go's collector cannot see.
var watches struct {
	sync.Map // uintptr to chan struct{}
	newest   atomic.Uintptr
}

// onExit is the one callback of all waits: Go never frees a callback.
var onExit = sync.OnceValue(func() uintptr {
	return windows.NewCallback(func(id, timedOut uintptr) uintptr {
		if c, ok := watches.LoadAndDelete(id); ok {
			close(c.(chan struct{}))
		}
		return 0
	})
})

// BOOL RegisterWaitForSingleObject(PHANDLE phNewWaitObject, HANDLE hObject, WAITORTIMERCALLBACK Callback,
// PVOID Context, ULONG dwMilliseconds, ULONG dwFlags)
//
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject
//
// BOOL UnregisterWaitEx(HANDLE WaitHandle, HANDLE CompletionEvent)
//
// https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex
//
// A thread of the system calls back, which Go's runtime does not expect: it takes a
// program whose goroutines all wait for that for deadlocked and ends it. A pending
// timer tells the runtime that something can still happen.
func (system) WatchExit(process Handle) (<-chan struct{}, func(), error) {
	id, exited := watches.newest.Add(1), make(chan struct{})
	watches.Store(id, exited)
	var wait windows.Handle
	r, _, e := syscall.SyscallN(procRegisterWaitForSingleObject.Addr(), uintptr(unsafe.Pointer(&wait)), uintptr(process),
		onExit(), id, windows.INFINITE, executeInWaitThread|executeOnlyOnce)
	if r == 0 {
		watches.Delete(id)
		return nil, nil, e
	}
	pending := time.AfterFunc(math.MaxInt64, func() {})
	stop := func() {
		pending.Stop()
		// With INVALID_HANDLE_VALUE the call returns after a callback under way has.
		_, _, _ = syscall.SyscallN(procUnregisterWaitEx.Addr(), uintptr(wait), uintptr(windows.InvalidHandle))
		watches.Delete(id)
	}
	return exited, stop, nil
}
