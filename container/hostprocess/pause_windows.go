package hostprocess

import (
	"errors"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
)

// NTSTATUS NtSuspendProcess(HANDLE ProcessHandle);
// NTSTATUS NtResumeProcess(HANDLE ProcessHandle);
//
// Microsoft documents the access right that they need, but not the functions.
//
// https://learn.microsoft.com/windows/win32/procthread/process-security-and-access-rights
var (
	ntdll                = windows.NewLazySystemDLL("ntdll.dll")
	procNtSuspendProcess = ntdll.NewProc("NtSuspendProcess")
	procNtResumeProcess  = ntdll.NewProc("NtResumeProcess")
)

// suspendProcess suspends all threads of a process. The caller keeps a handle of the process, so that its pid is not
// reused.
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
