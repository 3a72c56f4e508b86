//go:build !windows

package shim_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// listen makes a Unix socket, which stands in for a named pipe where there are none. Its path is short: a socket's may
// have 107 bytes.
func listen(t *testing.T) (l net.Listener, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "shim")
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

func dial(path string) (net.Conn, error) { return net.Dial("unix", path) }
