//go:build !windows

package jobtest

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// duplicate opens the file behind f a second time, as inheritance does.
func duplicate(f *os.File) (*os.File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var (
		dup  int
		derr error
	)
	err = conn.Control(func(fd uintptr) {
		// Held so that no child of the test inherits the copy meanwhile.
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if dup, derr = syscall.Dup(int(fd)); derr == nil {
			syscall.CloseOnExec(dup)
		}
	})
	if err = errors.Join(err, derr); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(dup), f.Name()), nil
}

// abandonFiles closes the files, at which reads and writes under way fail.
func (p *Proc) abandonFiles() { p.closeFiles() }

// cancelled: here a close cancels nothing but its own file's reads and writes.
func cancelled(error) bool { return false }

// breakAway has nothing to do where there are no jobs.
func breakAway(*exec.Cmd) {}

// freeConsole does nothing: this system has no consoles.
func freeConsole() bool { return true }
