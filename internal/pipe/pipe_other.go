//go:build !windows

package pipe

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"time"
)

const scheme = "unix://"

// IsLocal reports whether path can be a socket of this machine.
func IsLocal(path string) bool { return filepath.IsAbs(path) }

// Listen serves a socket.
func Listen(path string) (net.Listener, error) {
	return net.Listen("unix", strings.TrimPrefix(path, scheme))
}

// Dial connects to a socket, until ctx ends or for [DialTimeout]. It returns [fs.ErrNotExist] at once for a socket that
// does not exist.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	began := time.Now()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(path, scheme))
	return conn, timedOut(path, began, err)
}
