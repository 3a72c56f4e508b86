package command

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// withoutConsole detaches a process from the console of silo.
//
// https://learn.microsoft.com/windows/win32/procthread/process-creation-flags
func withoutConsole() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// terminal prepares a screen for control sequences, and returns its height, 0 if unknown, and what undoes it.
//
// https://learn.microsoft.com/windows/console/console-virtual-terminal-sequences
func terminal(w io.Writer) (height int, restore func()) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, func() {}
	}
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return 0, func() {} // no console
	}
	if windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) != nil {
		return 0, func() {} // a console without them; the text is shown all the same
	}
	var screen windows.ConsoleScreenBufferInfo
	if windows.GetConsoleScreenBufferInfo(h, &screen) == nil {
		height = int(screen.Window.Bottom-screen.Window.Top) + 1
	}
	return height, func() { _ = windows.SetConsoleMode(h, mode) }
}
