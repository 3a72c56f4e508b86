package jobobject

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procGetQueuedCompletionStatus = modkernel32.NewProc("GetQueuedCompletionStatus")

func (system) CreatePort() (Handle, error) {
	h, err := windows.CreateIoCompletionPort(windows.InvalidHandle, 0, 0, 1)
	return Handle(h), err
}

func (system) AssociatePort(job, port Handle, key uintptr) error {
	info := associateCompletionPort{CompletionKey: uint64(key), CompletionPort: uint64(port)}
	return setJob(job, classCompletionPort, &info)
}

// BOOL GetQueuedCompletionStatus(HANDLE CompletionPort, LPDWORD lpNumberOfBytesTransferred,
// PULONG_PTR lpCompletionKey, LPOVERLAPPED *lpOverlapped, DWORD dwMilliseconds)
//
// https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus
//
// A job puts a pid where a pointer to an OVERLAPPED is declared. In a variable
// of pointer type, as x/sys has it, Go's runtime would take that for a corrupt
// pointer and end the process.
func (system) WaitPort(port Handle) (kind uint32, key, value uintptr, err error) {
	r, _, e := syscall.SyscallN(procGetQueuedCompletionStatus.Addr(), uintptr(port),
		uintptr(unsafe.Pointer(&kind)), uintptr(unsafe.Pointer(&key)), uintptr(unsafe.Pointer(&value)), windows.INFINITE)
	if r == 0 {
		return 0, 0, 0, e
	}
	return kind, key, value, nil
}

func (system) PostPort(port Handle, kind uint32, key uintptr) error {
	return windows.PostQueuedCompletionStatus(windows.Handle(port), kind, key, nil)
}
