//go:build !windows

package service_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// listen makes a Unix socket, which stands in for a named pipe where there are none.
func listen(t *testing.T) (l net.Listener, path string) {
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

func dial(path string) (net.Conn, error) { return net.Dial("unix", path) }
