//go:build !windows

package stdio

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
)

var endpoints atomic.Int64

// endpoint returns a path without a listener. It is short: a Unix socket's
// path may have 107 bytes.
func endpoint(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "io") //nolint:usetesting // t.TempDir is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, strconv.FormatInt(endpoints.Add(1), 10))
}

// listenBuffered is listen: every Unix socket has a buffer.
func listenBuffered(t *testing.T) *pipeServer { return listen(t) }

func listen(t *testing.T) *pipeServer { return listenAt(t, endpoint(t)) }

// listenAt listens at a path of the test's choice.
func listenAt(t *testing.T, path string) *pipeServer {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, path, l)
}

// dup is what the program inherits.
func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	var fd int
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var dupErr error
	err = raw.Control(func(old uintptr) {
		fd, dupErr = syscall.Dup(int(old))
	})
	if err = errors.Join(err, dupErr); err != nil {
		t.Fatal(err)
	}
	copied := os.NewFile(uintptr(fd), f.Name())
	t.Cleanup(func() { _ = copied.Close() })
	return copied
}
