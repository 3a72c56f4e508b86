// Package handle shares a handle of the operating system between the calls that
// use it, and closes it once, after the last of them.
//
// A handle that is closed while a call uses it may by then name another object,
// and some services crash. So users acquire the handle and release it, and the last
// user of a closed one closes it.
package handle

import (
	"io/fs"
	"sync"
)

// Handle is one open handle. All methods are safe for concurrent use.
type Handle[H ~uintptr] struct {
	value  H
	free   func(H) error
	closed chan struct{}

	mu     sync.Mutex // guards the fields below
	users  int
	closes bool
}

// New returns the owner of value, which free closes. free runs once, without a
// lock, and may block.
func New[H ~uintptr](value H, free func(H) error) *Handle[H] {
	return &Handle[H]{value: value, free: free, closed: make(chan struct{})}
}

// Acquire lends the handle until Release. After Close it returns [fs.ErrClosed].
func (h *Handle[H]) Acquire() (H, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closes {
		return 0, fs.ErrClosed
	}
	h.users++
	return h.value, nil
}

// Release ends one Acquire. The last user of a closed handle frees it and gets the
// error of that.
func (h *Handle[H]) Release() error {
	h.mu.Lock()
	h.users--
	last := h.closes && h.users == 0
	h.mu.Unlock()
	if !last {
		return nil
	}
	return h.free(h.value)
}

// Close refuses new users, and frees the handle if there is none. Only the first
// call does something.
func (h *Handle[H]) Close() (first bool, err error) {
	h.mu.Lock()
	if h.closes {
		h.mu.Unlock()
		return false, nil
	}
	h.closes = true
	unused := h.users == 0
	h.mu.Unlock()
	close(h.closed)
	if unused {
		err = h.free(h.value)
	}
	return true, err
}

// Closed returns a channel that the first Close closes.
func (h *Handle[H]) Closed() <-chan struct{} { return h.closed }
