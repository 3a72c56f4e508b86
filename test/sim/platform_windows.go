package sim

import (
	"crypto/rand"
	"net"
	"os"
	"testing"

	"github.com/Microsoft/go-winio"

	"github.com/siloshim/siloshim/test/handles"
)

// Listen makes a named pipe with a random name.
func Listen(t *testing.T) (l net.Listener, path string) {
	t.Helper()
	path = `\\.\pipe\silo-shim-test-` + rand.Text()
	l, err := winio.ListenPipe(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l, path
}

// Dial connects to the path of Listen.
func Dial(path string) (net.Conn, error) { return winio.DialPipe(path, nil) }

// OpenHandles counts this process's handles by type, except those of the Go runtime's threads, whose number depends on the
// load of the machine. /proc/self/fd on Wine has the descriptors of Wine's server, which all processes share.
func OpenHandles(t *testing.T) map[string]int {
	t.Helper()
	counts, err := handles.Of(uint32(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	return counts.Others()
}
