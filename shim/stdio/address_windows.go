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

// isLocal says whether path is a file's on a drive of this host. \\server\share\ is none, nor is a device.
func isLocal(path string) bool {
	return len(path) > 3 && path[1] == ':' && filepath.IsAbs(path)
}

// isProgram says whether path is that of a program. A script would be run by a shell.
func isProgram(path string) bool { return strings.EqualFold(filepath.Ext(path), ".exe") }

// listenPipe makes a pipe for a logging program, open to the same as the program's own. It has no buffer: a write
// returns when its bytes were taken, so that none is lost when the pipe is closed.
func listenPipe(name string) (net.Listener, string, error) {
	path := pipePrefix + name
	l, err := winio.ListenPipe(path, &winio.PipeConfig{SecurityDescriptor: pipeSDDL})
	return l, path, err
}

// dialPipe connects to a pipe as a client that its server cannot impersonate
// (SECURITY_ANONYMOUS, go-winio's default): we do not choose who serves it.
func dialPipe(ctx context.Context, path string) (net.Conn, error) {
	return winio.DialPipeContext(ctx, path)
}
