package probe

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// connect returns both ends of a pipe without a buffer, as containerd's clients make it.
func connect(t *testing.T, what string) (server, client net.Conn) {
	t.Helper()
	name := pipeName(what)
	l, err := winio.ListenPipe(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() { // ends with the listener
		c, err := l.Accept()
		if err != nil {
			close(accepted)
			return
		}
		accepted <- c
	}()
	client, err = winio.DialPipeContext(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	server, ok := <-accepted
	if !ok {
		t.Fatal("nothing was accepted")
	}
	t.Cleanup(func() { _, _ = server.Close(), client.Close() })
	return server, client
}

// A reader reads a part of a write and closes, or the write is cancelled. In both cases the write reports 0 bytes.
func TestPipe_WriteInterrupted_ReportsZeroBytes(t *testing.T) {
	for name, end := range map[string]func(reader, writer net.Conn) error{
		"reader leaves": func(reader, _ net.Conn) error { return reader.Close() },
		"cancelled":     func(_, writer net.Conn) error { return writer.SetWriteDeadline(time.Unix(1, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			reader, writer := connect(t, "interrupted")
			type result struct {
				n   int
				err error
			}
			wrote := make(chan result)
			go func() {
				n, err := writer.Write(make([]byte, 100))
				wrote <- result{n, err}
			}()
			if _, err := io.ReadFull(reader, make([]byte, 40)); err != nil {
				t.Fatal(err)
			}
			if err := end(reader, writer); err != nil {
				t.Fatal(err)
			}
			if r := <-wrote; r.n != 0 || r.err == nil {
				t.Errorf("the write returned %d, %v, want 0 and an error", r.n, r.err)
			}
		})
	}
}

// The client can query the pid also after the server has closed.
func TestPipe_ServerClosed_ClientReadsItsPID(t *testing.T) {
	server, client := connect(t, "server")
	handle := windows.Handle(client.(interface{ Fd() uintptr }).Fd())
	for _, when := range []string{"connected", "after the server hung up"} {
		var pid uint32
		if err := windows.GetNamedPipeServerProcessId(handle, &pid); err != nil || int(pid) != os.Getpid() {
			t.Errorf("%s: pid %d, %v, want %d", when, pid, err, os.Getpid())
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
}
