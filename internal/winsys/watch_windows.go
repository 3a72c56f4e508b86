package winsys

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
	modkernel32                     = windows.NewLazySystemDLL("kernel32.dll")
	procRegisterWaitForSingleObject = modkernel32.NewProc("RegisterWaitForSingleObject")
	procUnregisterWaitEx            = modkernel32.NewProc("UnregisterWaitEx")
)

// Flags of RegisterWaitForSingleObject.
const (
	executeInWaitThread = 0x4
	executeOnlyOnce     = 0x8
)

// watches maps the number that a wait has to the channel that it closes. Numbers and not pointers, as the kernel stores them where
// Go's collector cannot see them.
var watches struct {
	sync.Map // uintptr to chan struct{}
	newest   atomic.Uintptr
}

// onSignal is the one callback of all waits: Go never frees a callback.
var onSignal = sync.OnceValue(func() uintptr {
	return windows.NewCallback(func(id, timedOut uintptr) uintptr {
		if c, ok := watches.LoadAndDelete(id); ok {
			close(c.(chan struct{}))
		}
		return 0
	})
})

// Watch returns a channel that is closed when an event is set or a process exits. The caller calls stop once, before it closes
// the handle. The system's thread pool waits for all handles: a goroutine would have a thread for each.
//
// A thread of the system calls back, which Go's runtime does not expect: it takes a program whose goroutines all wait for that
// for deadlocked and ends it. A pending timer tells the runtime that something can still happen.
//
// BOOL RegisterWaitForSingleObject(PHANDLE phNewWaitObject, HANDLE hObject, WAITORTIMERCALLBACK Callback,
// PVOID Context, ULONG dwMilliseconds, ULONG dwFlags)
//
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject
//
// BOOL UnregisterWaitEx(HANDLE WaitHandle, HANDLE CompletionEvent)
//
// https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex
func Watch(handle windows.Handle) (signaled <-chan struct{}, stop func(), err error) {
	id, c := watches.newest.Add(1), make(chan struct{})
	watches.Store(id, c)
	var wait windows.Handle
	r, _, e := syscall.SyscallN(procRegisterWaitForSingleObject.Addr(), uintptr(unsafe.Pointer(&wait)), uintptr(handle),
		onSignal(), id, windows.INFINITE, executeInWaitThread|executeOnlyOnce)
	if r == 0 {
		watches.Delete(id)
		return nil, nil, e
	}
	pending := time.AfterFunc(math.MaxInt64, func() {})
	return c, func() {
		pending.Stop()
		// With INVALID_HANDLE_VALUE the call returns after a callback under way has.
		_, _, _ = syscall.SyscallN(procUnregisterWaitEx.Addr(), uintptr(wait), uintptr(windows.InvalidHandle))
		watches.Delete(id)
	}, nil
}
