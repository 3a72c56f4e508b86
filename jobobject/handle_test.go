package jobobject

import (
	"errors"
	"testing"
)

// TestHandleInUse closes a handle during a call: the kernel must see the close
// after the call, once, and nobody may begin another.
func TestHandleInUse(t *testing.T) {
	given := 0
	h := newHandle(8, func() error { given++; return nil })
	value, err := h.acquire()
	if err != nil || value != 8 {
		t.Fatalf("acquire = %d, %v", value, err)
	}
	for i := range 2 {
		first, err := h.close()
		if err != nil || first != (i == 0) {
			t.Errorf("close %d = %v, %v", i, first, err)
		}
	}
	if given != 0 {
		t.Error("closed under a running call")
	}
	if _, err := h.acquire(); !errors.Is(err, ErrClosed) {
		t.Errorf("acquire after close: %v, want ErrClosed", err)
	}
	h.release()
	if given != 1 {
		t.Errorf("closed %d times, want once", given)
	}
}

func TestHandleCloseError(t *testing.T) {
	broken := errors.New("broken")
	h := newHandle(8, func() error { return broken })
	if _, err := h.close(); !errors.Is(err, broken) {
		t.Errorf("close: %v, want the kernel's error", err)
	}
	if _, err := h.close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}
