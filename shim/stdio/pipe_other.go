//go:build !windows

package stdio

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/siloshim/siloshim/internal/pipe"
)

func filePath(path string) string { return path }

// isLocal reports whether path is a file's.
func isLocal(path string) bool { return filepath.IsAbs(path) && filepath.Clean(path) != "/" }

// isProgram reports whether path can be that of a program.
func isProgram(string) bool { return true }

// listenPipe makes a socket for a logging program.
func listenPipe(name string) (net.Listener, string, error) {
	path := filepath.Join(os.TempDir(), name)
	l, err := pipe.Listen(path)
	return l, path, err
}

// inputPipe makes the pipe of the program's stdin.
func inputPipe() (ours, theirs *os.File, err error) {
	theirs, ours, err = os.Pipe()
	return ours, theirs, err
}

// outputPipe makes the pipe of the program's stdout or stderr.
func outputPipe() (ours, theirs *os.File, err error) { return os.Pipe() }

// pending returns how many bytes can be read from r, 0 when that is unknown.
func pending(r any) (int, error) {
	c, ok := r.(syscall.Conn)
	if !ok {
		return 0, nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int
	var ioctl error
	if err := raw.Control(func(fd uintptr) { n, ioctl = unix.IoctlGetInt(int(fd), fionread()) }); err != nil {
		return 0, err
	}
	return n, ioctl
}

// fionread is FIONREAD, which x/sys/unix does not have under that name.
func fionread() uint {
	if runtime.GOOS == "linux" {
		return 0x541b // asm-generic/ioctls.h
	}
	return 0x4004667f // sys/filio.h of the BSDs and macOS
}

// stillOpen is false: here an end of file is always one.
func stillOpen(any) bool { return false }

// serverOf returns nil: the process is not known here.
func serverOf(net.Conn) server { return nil }
