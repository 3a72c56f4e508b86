package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// withoutConsole detaches a process from the console of silo. It gets no process group: the processes of a new one ignore
// Ctrl+C, and so would the program.
//
// https://learn.microsoft.com/windows/win32/procthread/process-creation-flags
func withoutConsole() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS}
}

// isConsole reports whether a file is a console.
func isConsole(f *os.File) bool {
	var mode uint32
	return f != nil && windows.GetConsoleMode(windows.Handle(f.Fd()), &mode) == nil
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

// windowsBuild is the build number of Windows with that of its latest update, such as 10.0.20348.2762.
func windowsBuild() string {
	v := windows.RtlGetVersion()
	build := fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows NT\CurrentVersion`, registry.QUERY_VALUE)
	if err != nil {
		return build
	}
	defer key.Close() //nolint:errcheck // it was only read
	if update, _, err := key.GetIntegerValue("UBR"); err == nil {
		build += fmt.Sprintf(".%d", update)
	}
	return build
}

// requestStacks makes a shim write its stacks to its log.
//
// https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openeventw
func requestStacks(pid uint32) (err error) {
	name, err := windows.UTF16PtrFromString(fmt.Sprintf(`Global\stackdump-%d`, pid))
	if err != nil {
		return err
	}
	event, err := windows.OpenEvent(windows.EVENT_MODIFY_STATE, false, name)
	if err != nil {
		return fmt.Errorf("open the event for stack dumps of process %d: %w", pid, err)
	}
	defer func() { err = errors.Join(err, windows.CloseHandle(event)) }()
	return windows.SetEvent(event)
}
