package hostprocess

import (
	"errors"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
)

// NTSTATUS NtSuspendProcess(HANDLE ProcessHandle);
// NTSTATUS NtResumeProcess(HANDLE ProcessHandle);
//
// Neither is in a Microsoft document; the right that they want is.
//
// https://learn.microsoft.com/windows/win32/procthread/process-security-and-access-rights
var (
	ntdll                = windows.NewLazySystemDLL("ntdll.dll")
	procNtSuspendProcess = ntdll.NewProc("NtSuspendProcess")
	procNtResumeProcess  = ntdll.NewProc("NtResumeProcess")
)

// suspendProcess stops every thread of a process. The caller sees to it that the pid stays the process's.
func suspendProcess(pid uint32) (resume func() error, err error) {
	h, err := windows.OpenProcess(windows.PROCESS_SUSPEND_RESUME, false, pid)
	if err != nil {
		return nil, err
	}
	if err := winsys.Status(procNtSuspendProcess, uintptr(h)); err != nil {
		return nil, errors.Join(err, windows.CloseHandle(h))
	}
	return func() error {
		return errors.Join(winsys.Status(procNtResumeProcess, uintptr(h)), windows.CloseHandle(h))
	}, nil
}
