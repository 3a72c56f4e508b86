//go:build !windows

package sim

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Listen makes a Unix socket, in place of a named pipe.
func Listen(t *testing.T) (l net.Listener, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "shim") //nolint:usetesting // short: a socket's path may have 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	if l, err = net.Listen("unix", path); err != nil {
		t.Fatal(err)
	}
	return l, path
}

// Dial connects to it.
func Dial(path string) (net.Conn, error) { return net.Dial("unix", path) }
