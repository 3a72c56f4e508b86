// Package subprocess prepares programs that the shim starts outside of containers.
package subprocess

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// SeparateConsole gives a program a console without a window. Otherwise it would share the console that the shim is
// attached to at that moment, and receive the events of a container.
//
// https://learn.microsoft.com/windows/win32/procthread/process-creation-flags
func SeparateConsole(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
}
