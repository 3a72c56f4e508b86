package jobobject

import (
	"errors"
	"testing"
)

// givenHandle is a handle that counts how often its value was closed, with err.
func givenHandle(err error) (h *handle, given *int) {
	given = new(int)
	return newHandle(nil, 8, "a", 0, func(Handle) error { *given++; return err }), given
}

func TestHandleClose_DuringACall_ClosesOnceAfterIt(t *testing.T) {
	h, given := givenHandle(nil)
	err := h.do("use job", func(_ Kernel, value Handle) error {
		if value != 8 {
			t.Errorf("value = %d, want 8", value)
		}
		for i := range 2 {
			first, err := h.Close()
			if err != nil || first != (i == 0) {
				t.Errorf("close %d = %v, %v", i, first, err)
			}
		}
		if *given != 0 {
			t.Error("closed during the call")
		}
		return h.do("use job again", func(Kernel, Handle) error {
			t.Error("called after close")
			return nil
		})
	})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("use after close: %v, want ErrClosed", err)
	}
	if *given != 1 {
		t.Errorf("closed %d times, want once", *given)
	}
}

func TestHandleClose_KernelFails_ReturnsItsErrorOnce(t *testing.T) {
	broken := errors.New("broken")
	h, _ := givenHandle(broken)
	if _, err := h.Close(); !errors.Is(err, broken) {
		t.Errorf("close: %v, want the kernel's error", err)
	}
	if _, err := h.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestLend_CallFails_ResultIsZero(t *testing.T) {
	broken := errors.New("broken")
	h, _ := givenHandle(nil)
	h.pid = 12
	v, err := lend(h, "query process of job", func(Kernel, Handle) (int, error) { return 7, broken })
	if v != 0 || !errors.Is(err, broken) || err.Error() != "query process of job a: process 12: broken" {
		t.Errorf("lend = %d, %v", v, err)
	}
}
