package pipe

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"
)

// listen serves a new pipe until the end of the test.
func listen(t *testing.T) (l net.Listener, path string) {
	t.Helper()
	path = address(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, path
}

func TestDial_NoSuchPipe_ReturnsErrNotExist(t *testing.T) {
	if _, err := Dial(t.Context(), address(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want %v", err, fs.ErrNotExist)
	}
}

func TestDial_Listener_Connects(t *testing.T) {
	l, path := listen(t)
	accepted := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = conn.Write([]byte{7})
			conn.Close()
		}
		accepted <- err
	}()
	conn, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := make([]byte, 1)
	if _, err := conn.Read(got); err != nil || got[0] != 7 {
		t.Errorf("read %v, %v, want 7", got, err)
	}
	if err := <-accepted; err != nil {
		t.Error(err)
	}
}

func TestDial_ContextCanceled_ReturnsItsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, path := listen(t)
	if _, err := Dial(ctx, path); err == nil {
		t.Error("a dial under a context that has ended succeeds")
	}
}

func TestTimedOut_DeadlineExceeded_NamesPipeAndTime(t *testing.T) {
	err := timedOut("p", time.Now().Add(-3*time.Second), context.DeadlineExceeded)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "dial p: not accepted within 3") {
		t.Errorf("%v, want the pipe, the time and %v", err, context.DeadlineExceeded)
	}
	if err := timedOut("p", time.Now(), nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}
