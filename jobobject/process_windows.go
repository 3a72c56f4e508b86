package jobobject

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

func (system) OpenProcess(pid uint32, access ProcessAccess) (Handle, error) {
	h, err := windows.OpenProcess(uint32(access), false, pid)
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		// The kernel's way to say that nothing has this pid.
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

// NTSTATUS NtQueryInformationProcess(HANDLE ProcessHandle, PROCESSINFOCLASS ProcessInformationClass,
// PVOID ProcessInformation, ULONG ProcessInformationLength, PULONG ReturnLength)
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryinformationprocess
func (system) PrivateWorkingSet(process Handle) (uint64, error) {
	const processVMCounters = 3
	var info vmCounters
	err := windows.NtQueryInformationProcess(windows.Handle(process), processVMCounters,
		unsafe.Pointer(&info), uint32(unsafe.Sizeof(info)), nil)
	if errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) {
		// A kernel that knows only the shorter forms of the structure.
		return 0, fmt.Errorf("%w: %w", ErrNotSupported, err)
	}
	var status windows.NTStatus
	if errors.As(err, &status) {
		err = status.Errno()
	}
	return info.PrivateWorkingSetSize, err
}
