package service_test

import (
	"crypto/rand"
	"net"
	"testing"

	"github.com/Microsoft/go-winio"
)

// listen makes a named pipe that nobody else knows.
func listen(t *testing.T) (l net.Listener, path string) {
	t.Helper()
	path = `\\.\pipe\silo-shim-test-` + rand.Text()
	l, err := winio.ListenPipe(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l, path
}

func dial(path string) (net.Conn, error) { return winio.DialPipe(path, nil) }
