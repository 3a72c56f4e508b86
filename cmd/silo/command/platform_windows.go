package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/siloshim/siloshim/internal/pipe"
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

// enableSequences makes a console read control sequences, and returns what undoes it, or false for a console that cannot.
//
// https://learn.microsoft.com/windows/console/console-virtual-terminal-sequences
func enableSequences(w io.Writer) (restore func(), ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return func() {}, true // a terminal of the tests
	}
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil || windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) != nil {
		return nil, false
	}
	return func() { _ = windows.SetConsoleMode(h, mode) }, true
}

// pipeName is the path of a local pipe.
func pipeName(name string) string { return pipe.Local + name }

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
