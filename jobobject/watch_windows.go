package jobobject

import (
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

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
