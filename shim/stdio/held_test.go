package stdio

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestHeldOpen: the program is gone and a grandchild holds its stdout. That is noticed within two of the times for
// which it has to be quiet, and what the grandchild writes much later still arrives.
func TestHeldOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, conn := net.Pipe()
		b := runOutput(t, conn, nil)
		read := func(want string) {
			t.Helper()
			got := make([]byte, len(want))
			if _, err := io.ReadFull(reader, got); err != nil || string(got) != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		}
		go b.print(t, "last words")
		read("last words")
		began := time.Now()
		if !b.out.quiet(t.Context()) {
			t.Error("the stream is not called held")
		}
		if took := time.Since(began); took > 2*heldOpen {
			t.Errorf("that took %s, want at most %s", took, 2*heldOpen)
		}
		time.Sleep(time.Hour)
		go b.print(t, "from the grave")
		read("from the grave")
	})
}

// TestBusyIsNotHeld: a stream is not held while something comes, nor while its reader takes nothing.
func TestBusyIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, conn := net.Pipe()
		b := runOutput(t, conn, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() {
			for range 20 {
				time.Sleep(heldOpen / 2)
				b.print(t, "x")
			}
			b.print(t, "stalled")
		}()
		go func() { _, _ = io.ReadFull(reader, make([]byte, 20)) }()
		if b.out.quiet(ctx) {
			t.Error("the stream is called held")
		}
		if ctx.Err() == nil {
			t.Error("it is called ended before its bound")
		}
	})
}
