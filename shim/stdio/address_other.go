//go:build !windows

package stdio

import (
	"context"
	"net"
	"os"
	"path/filepath"
)

// isPipe says whether path can be a Unix socket, which stands in for a named
// pipe where there are none.
func isPipe(path string) bool { return filepath.IsAbs(path) }

func filePath(path string) string { return path }

// isLocal says whether path is a file's.
func isLocal(path string) bool { return filepath.IsAbs(path) && filepath.Clean(path) != "/" }

// isProgram says whether path can be that of a program.
func isProgram(string) bool { return true }

// listenPipe makes a socket for a logging program.
func listenPipe(name string) (net.Listener, string, error) {
	path := filepath.Join(os.TempDir(), name)
	l, err := net.Listen("unix", path)
	return l, path, err
}

func dialPipe(ctx context.Context, path string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", path)
}
