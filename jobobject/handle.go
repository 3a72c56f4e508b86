package jobobject

import (
	"fmt"

	shared "github.com/siloshim/siloshim/internal/handle"
)

// handle is an open handle and what errors say of its object. It is closed once, and
// not while a call uses it.
type handle struct {
	*shared.Handle[Handle]

	// Immutable.
	kernel Kernel
	job    string // the name of the job, or of the job of the process
	pid    uint32 // for errors; 0 for a job
}

// newHandle owns value, which free closes.
func newHandle(k Kernel, value Handle, job string, pid uint32, free func(Handle) error) *handle {
	return &handle{Handle: shared.New(value, free), kernel: k, job: job, pid: pid}
}

// lend calls with the kernel and the handle, which stays open meanwhile. After close
// it returns [ErrClosed] without a call. An error is an [Error] of op, and then the
// result is zero.
//
// A method expression of [Kernel] as call needs no allocation, a method value does.
func lend[T any](h *handle, op string, call func(Kernel, Handle) (T, error)) (T, error) {
	var zero T
	value, err := h.Acquire()
	if err != nil {
		return zero, h.fail(op, err)
	}
	defer h.Release() //nolint:errcheck // close has returned, so nothing can report this error
	v, err := call(h.kernel, value)
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
