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

// openShared opens a file to read that its writer may rename meanwhile. [os.Open] does not share the right to, and a
// reader would keep the writer from rotating its log.
//
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
func openShared(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
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
