package stdio

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"testing"
)

// pipeServer is containerd's side: a listener for one client. It accepts from
// the start, as containerd's does: a named pipe has no backlog.
type pipeServer struct {
	path     string
	listener net.Listener
	client   chan net.Conn // closed when there will be none
}

func serve(t *testing.T, path string, l net.Listener) *pipeServer {
	s := &pipeServer{path: path, listener: l, client: make(chan net.Conn, 1)}
	t.Cleanup(s.close)
	go func() {
		defer close(s.client)
		if conn, err := l.Accept(); err == nil {
			s.client <- conn
		}
	}()
	return s
}

// accept waits for the relay. go-winio drops a client that closes its end before the listener has noticed it, so accept comes before
// the end of the output.
func (s *pipeServer) accept(t *testing.T) net.Conn {
	t.Helper()
	conn, ok := <-s.client
	if !ok {
		t.Fatal("the relay has not dialled")
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// close ends the listener and a client that was not accepted.
func (s *pipeServer) close() {
	_ = s.listener.Close()
	for conn := range s.client {
		_ = conn.Close()
	}
}

func open(t *testing.T, c Config) *Relay {
	t.Helper()
	r, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// finish ends a relay whose program has closed its streams.
func finish(t *testing.T, r *Relay) {
	t.Helper()
	if _, err := r.Drain(t.Context()); err != nil {
		t.Errorf("Drain = %v", err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if n := r.Lost(); n != 0 {
		t.Errorf("%d bytes are called lost", n)
	}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(fmt.Errorf("read after %d bytes: %w", len(b), err))
	}
	return string(b)
}

// expect reads text and no further.
func expect(t *testing.T, r io.Reader, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != text {
		t.Fatalf("read %q, %v; want %q", got, err, text)
	}
}

func closeClient(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func closeFiles(t *testing.T, files ...*os.File) {
	t.Helper()
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// waitGoroutines yields until the count is back at want, so a goroutine that
// stays is caught by the test's own time limit, with every stack.
func waitGoroutines(t *testing.T, want int) {
	t.Helper()
	for runtime.NumGoroutine() > want {
		runtime.Gosched()
	}
}
