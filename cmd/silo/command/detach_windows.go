package command

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// aloof keeps a process away from our console.
//
// https://learn.microsoft.com/windows/win32/procthread/process-creation-flags
func aloof() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
