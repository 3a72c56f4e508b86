package jobobject

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/windows"
)

// NTSTATUS NtQueryInformationProcess(HANDLE ProcessHandle, PROCESSINFOCLASS ProcessInformationClass,
// PVOID ProcessInformation, ULONG ProcessInformationLength, PULONG ReturnLength)
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryinformationprocess
func queryProcess[T any](process Handle, class int32, info *T) error {
	return queryProcessBytes(process, class, unsafe.Pointer(info), uint32(unsafe.Sizeof(*info)))
}

func queryProcessBytes(process Handle, class int32, info unsafe.Pointer, size uint32) error {
	return windows.NtQueryInformationProcess(windows.Handle(process), class, info, size, nil)
}

// shortCounters is set once the kernel has shown that it knows only the shorter
// VM_COUNTERS_EX, which ends before the private working set.
var shortCounters atomic.Bool

// hcsshim reads these counters with PROCESS_QUERY_LIMITED_INFORMATION alone (PrivateWorkingSet of its internal/jobobject),
// a right that is given for protected processes, too.
//
// https://learn.microsoft.com/windows/win32/procthread/process-security-and-access-rights
func (system) ProcessMemory(process Handle) (ProcessMemory, error) {
	var info vmCounters
	if !shortCounters.Load() {
		err := queryProcess(process, classProcessVMCounters, &info)
		if !errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) {
			return info.memory(true), win32(err)
		}
		shortCounters.Store(true)
	}
	const size = uint32(unsafe.Offsetof(info.PrivateWorkingSetSize))
	err := queryProcessBytes(process, classProcessVMCounters, unsafe.Pointer(&info), size)
	return info.memory(false), win32(err)
}

func (system) ProcessTimes(process Handle) (ProcessTimes, error) {
	var info kernelUserTimes
	err := queryProcess(process, classProcessTimes, &info)
	return info.times(), win32(err)
}

func (system) ProcessParent(process Handle) (uint32, error) {
	var info processBasicInformation
	err := queryProcess(process, classProcessBasic, &info)
	return uint32(info.InheritedFromUniqueProcessID), win32(err)
}

func (system) ProcessHandles(process Handle) (uint32, error) {
	var count uint32
	err := queryProcess(process, classProcessHandleCount, &count)
	return count, win32(err)
}

func (system) ProcessImage(process Handle) (string, error) {
	// The path's length is a 16-bit count of bytes, so this room always suffices.
	const most = uint32(unsafe.Sizeof(unicodeString{})) + 1<<16
	for room := uint32(1 << 10); ; room = most {
		words := make([]uint64, room/8)
		buf := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), room)
		err := queryProcessBytes(process, classProcessImageName, unsafe.Pointer(&buf[0]), room)
		if tooSmall(err) && room < most {
			continue
		}
		if err != nil {
			return "", win32(err)
		}
		return decodeImage(buf)
	}
}

// SystemProcesses repeats the call with a larger buffer while the list does not fit.
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysysteminformation
func (system) SystemProcesses(list []SystemProcess) ([]SystemProcess, error) {
	for room := uint32(512 << 10); ; {
		words := make([]uint64, room/8)
		var needed uint32
		err := windows.NtQuerySystemInformation(classSystemProcesses, unsafe.Pointer(&words[0]), room, &needed)
		if tooSmall(err) {
			room = max(needed+needed/4, room*2) &^ 7
			continue
		}
		if err != nil {
			return list, win32(err)
		}
		base := uintptr(unsafe.Pointer(&words[0]))
		return decodeSystemProcesses(list, unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), room), uint64(base))
	}
}

// tooSmall reports whether the kernel needs a larger buffer. It has three codes for that.
func tooSmall(err error) bool {
	return errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) || errors.Is(err, windows.STATUS_BUFFER_TOO_SMALL) ||
		errors.Is(err, windows.STATUS_BUFFER_OVERFLOW)
}

// win32 is err as the Win32 code that errors.Is can classify.
func win32(err error) error {
	if err == nil {
		return nil // before status is allocated
	}
	var status windows.NTStatus
	if !errors.As(err, &status) {
		return err
	}
	if errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) || errors.Is(err, windows.STATUS_INVALID_INFO_CLASS) ||
		errors.Is(err, windows.STATUS_NOT_IMPLEMENTED) {
		return fmt.Errorf("%w: %w", ErrNotSupported, status.Errno())
	}
	return status.Errno()
}
