package jobobject

import "sync"

// handle closes a kernel handle once, and not while a call is using it: a value
// that was closed too early may by then name somebody else's object.
type handle struct {
	value  Handle
	give   func() error  // closes value
	closed chan struct{} // closed by close, so that waiters can leave

	mu    sync.Mutex // guards the fields below
	users int
	shut  bool
}

func newHandle(value Handle, give func() error) *handle {
	return &handle{value: value, give: give, closed: make(chan struct{})}
}

// acquire lends the handle until release, or says [ErrClosed].
func (h *handle) acquire() (Handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return 0, ErrClosed
	}
	h.users++
	return h.value, nil
}

// release gives back what acquire lent. The last user of a closed handle closes it.
func (h *handle) release() {
	h.mu.Lock()
	h.users--
	last := h.shut && h.users == 0
	h.mu.Unlock()
	if last {
		// Close has answered already; nobody is left to hear about this one.
		_ = h.give()
	}
}

// close refuses new users and closes the handle as soon as the present ones,
// all of them in short calls, are gone. first is false on every later call.
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
		err = h.give()
	}
	return true, err
}
