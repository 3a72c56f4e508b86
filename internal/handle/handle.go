// Package handle closes a handle of the operating system after the last call that uses it.
//
// If a handle is closed during such a call, it may identify another object, and some services crash. So each call
// acquires the handle and releases it.
package handle

import (
	"io/fs"
	"sync"
)

// Handle is an open handle. All methods are safe for concurrent use.
type Handle[H ~uintptr] struct {
	value  H
	free   func(H) error
	closed chan struct{}

	mu      sync.Mutex // guards the fields below
	users   int
	closing bool
}

// New makes a Handle. free closes value; it is called once, without a lock, and may block.
func New[H ~uintptr](value H, free func(H) error) *Handle[H] {
	return &Handle[H]{value: value, free: free, closed: make(chan struct{})}
}

// Acquire returns the handle, which is valid until Release. After Close it returns [fs.ErrClosed].
func (h *Handle[H]) Acquire() (H, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return 0, fs.ErrClosed
	}
	h.users++
	return h.value, nil
}

// Release ends one Acquire. After Close, the last Release frees the handle and returns its error.
func (h *Handle[H]) Release() error {
	h.mu.Lock()
	h.users--
	last := h.closing && h.users == 0
	h.mu.Unlock()
	if !last {
		return nil
	}
	return h.free(h.value)
}

// Close makes Acquire fail, and frees the handle if it is not in use. first is false, and nothing happens, after the
// first call.
func (h *Handle[H]) Close() (first bool, err error) {
	h.mu.Lock()
	if h.closing {
		h.mu.Unlock()
		return false, nil
	}
	h.closing = true
	unused := h.users == 0
	h.mu.Unlock()
	close(h.closed)
	if unused {
		err = h.free(h.value)
	}
	return true, err
}

// Closed returns a channel that is closed by Close.
func (h *Handle[H]) Closed() <-chan struct{} { return h.closed }
