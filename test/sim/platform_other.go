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

// Dial connects to the path of Listen.
func Dial(path string) (net.Conn, error) { return net.Dial("unix", path) }

// OpenHandles counts this process's descriptors. Where the system has no list of them it counts nothing.
func OpenHandles(*testing.T) map[string]int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	return map[string]int{"descriptors": len(list)}
}
