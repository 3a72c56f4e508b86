package bootstrap

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// detached takes the process away from containerd's console and from its control events, so that it outlives
// containerd.
// https://learn.microsoft.com/en-us/windows/win32/procthread/process-creation-flags
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// systemDir is a working directory that nobody wants to remove.
func systemDir() string {
	if dir, err := windows.GetSystemDirectory(); err == nil {
		return dir
	}
	return `C:\`
}
