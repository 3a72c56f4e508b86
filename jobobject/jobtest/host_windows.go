package jobtest

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// duplicate opens the file behind f a second time, as inheritance does.
func duplicate(f *os.File) (*os.File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var (
		dup  windows.Handle
		derr error
	)
	self := windows.CurrentProcess()
	err = conn.Control(func(fd uintptr) {
		derr = windows.DuplicateHandle(self, windows.Handle(fd), self, &dup, 0, false, windows.DUPLICATE_SAME_ACCESS)
	})
	if err = errors.Join(err, derr); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(dup), f.Name()), nil
}

// abandonFiles closes the files without waiting for it: with a synchronous
// handle Close returns only when the read under way does.
func (p *Proc) abandonFiles() { p.kernel.running.Go(p.closeFiles) }

func cancelled(err error) bool { return errors.Is(err, windows.ERROR_OPERATION_ABORTED) }

// breakAway makes cmd start outside of the job of this process.
func breakAway(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_BREAKAWAY_FROM_JOB}
}

// freeConsole detaches this process from its console.
//
// https://learn.microsoft.com/windows/console/freeconsole
func freeConsole() bool {
	r, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("FreeConsole").Call()
	return r != 0
}
