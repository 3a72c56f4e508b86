package rpc

import (
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/Microsoft/go-winio"
	api "github.com/containerd/containerd/api/runtime/task/v3"

	"github.com/siloshim/siloshim/test/workload"
)

// TestStdinIsReattached: a client hangs up and another takes its place. The program reads both as one, and reaches the end
// of its input with CloseIO alone.
func TestStdinIsReattached(t *testing.T) {
	s := newShim(t, workload.Spec("cat"))
	in := listen(t, "in")
	clients := make(chan net.Conn)
	go func() { // ends with the listener
		defer close(clients)
		for c, err := in.Accept(); err == nil; c, err = in.Accept() {
			clients <- c
		}
	}()
	printed := make(chan net.Conn, 1)
	stdout := accept(t, "out", printed)
	if _, err := s.Create(t.Context(), &api.CreateTaskRequest{ID: s.id, Bundle: s.bundle, Stdin: in.Addr().String(), Stdout: stdout}); err != nil {
		t.Fatal(err)
	}
	s.start(t, "")
	out := <-printed
	for _, text := range []string{"one", "two"} {
		client := <-clients
		if _, err := io.WriteString(client, text); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(out, got); err != nil || string(got) != text {
			t.Fatalf("the program read %q, %v, want %q", got, err, text)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.CloseIO(t.Context(), &api.CloseIORequest{ID: s.id, Stdin: true}); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
		t.Errorf("%q came after the end of the input, %v", rest, err)
	}
	s.ends(t, "", 0)
}

// listen makes a pipe for the shim to call.
func listen(t *testing.T, what string) net.Listener {
	t.Helper()
	l, err := winio.ListenPipe(fmt.Sprintf(`\\.\pipe\rpc-%d-%s-%d`, os.Getpid(), what, serial.Add(1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
