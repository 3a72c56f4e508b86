//go:build !windows

package stdio

import (
	"context"
	"net"
	"path/filepath"
)

// isPipe says whether path can be a Unix socket, which stands in for a named
// pipe where there are none.
func isPipe(path string) bool { return filepath.IsAbs(path) }

func filePath(path string) string { return path }

func dialPipe(ctx context.Context, path string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", path)
}
