package sim

import (
	"crypto/rand"
	"net"
	"testing"

	"github.com/Microsoft/go-winio"
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

// Dial connects to it.
func Dial(path string) (net.Conn, error) { return winio.DialPipe(path, nil) }
