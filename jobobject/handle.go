package jobobject

import (
	"fmt"
	"sync"
)

// handle is an open handle and what errors say of its object. It is closed once, and
// not while a call uses it: after a close the kernel may give the same value to
// another object.
type handle struct {
	// Immutable.
	kernel     Kernel
	value      Handle
	job        string        // the name of the job, or of the job of the process
	pid        uint32        // for errors; 0 for a job
	closeValue func() error  // closes value
	closed     chan struct{} // closed by close, so that waits end

	mu    sync.Mutex // guards the fields below
	users int
	shut  bool
}

func newHandle(k Kernel, value Handle, job string) *handle {
	h := &handle{kernel: k, value: value, job: job, closed: make(chan struct{})}
	h.closeValue = func() error { return k.CloseHandle(value) }
	return h
}

// lend calls with the kernel and the handle, which stays open meanwhile. After close
// it returns [ErrClosed] without a call. An error is an [Error] of op, and then the
// result is zero.
//
// A method expression of [Kernel] as call needs no allocation, a method value does.
func lend[T any](h *handle, op string, call func(Kernel, Handle) (T, error)) (T, error) {
	var zero T
	if err := h.acquire(); err != nil {
		return zero, h.fail(op, err)
	}
	defer h.release()
	v, err := call(h.kernel, h.value)
	if err != nil {
		return zero, h.fail(op, err)
	}
	return v, nil
}

// do is lend for a call without a result.
func (h *handle) do(op string, call func(Kernel, Handle) error) error {
	_, err := lend(h, op, func(k Kernel, value Handle) (struct{}, error) { return struct{}{}, call(k, value) })
	return err
}

// fail wraps err for op on the object of the handle, and keeps nil nil.
func (h *handle) fail(op string, err error) error {
	if err != nil && h.pid != 0 {
		err = fmt.Errorf("process %d: %w", h.pid, err)
	}
	return fail(op, h.job, err)
}

func (h *handle) acquire() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return ErrClosed
	}
	h.users++
	return nil
}

// release ends a use. The last user of a closed handle closes its value.
func (h *handle) release() {
	h.mu.Lock()
	h.users--
	last := h.shut && h.users == 0
	h.mu.Unlock()
	if last {
		_ = h.closeValue() // close has returned, so nothing can report this error
	}
}

// close refuses new users, and closes the value as soon as the present ones are
// done, all of which are in short calls. first is false on every later call.
func (h *handle) close() (first bool, err error) {
	h.mu.Lock()
	if h.shut {
		h.mu.Unlock()
		return false, nil
	}
	h.shut = true
	idle := h.users == 0
	h.mu.Unlock()
	close(h.closed)
	if idle {
		err = h.closeValue()
	}
	return true, err
}
