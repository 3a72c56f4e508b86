package stdio

import (
	"context"
	"net"
	"path/filepath"
	"strings"

	"github.com/Microsoft/go-winio"
)

// pipePrefix begins the name of every pipe of this host. A pipe of another
// host, \\server\pipe\, is never wanted.
const pipePrefix = `\\.\pipe\`

func isPipe(path string) bool {
	return len(path) > len(pipePrefix) && strings.EqualFold(path[:len(pipePrefix)], pipePrefix)
}

// filePath turns the path of a file URI, /C:/dir/x, into a path.
func filePath(path string) string {
	return filepath.FromSlash(strings.TrimPrefix(path, "/"))
}

// dialPipe connects to a pipe as a client that its server cannot impersonate
// (SECURITY_ANONYMOUS, go-winio's default): we do not choose who serves it.
func dialPipe(ctx context.Context, path string) (net.Conn, error) {
	return winio.DialPipeContext(ctx, path)
}
