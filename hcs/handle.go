package hcs

import "sync"

// lease shares a handle of the service between the calls that use it. The
// service must not be asked to close a handle that one of its calls still uses,
// not even one that nobody waits for any more: it would crash in ours or, worse,
// work on another's. So the last user closes.
type lease[H ~uintptr] struct {
	handle H
	give   func(H)       // closes handle; may block
	closed chan struct{} // closed by close, so that waiters can leave

	mu    sync.Mutex // guards the fields below
	users int
	shut  bool
}

func newLease[H ~uintptr](handle H, give func(H)) *lease[H] {
	return &lease[H]{handle: handle, give: give, closed: make(chan struct{})}
}

// take lends the handle until drop, or says [ErrClosed].
func (l *lease[H]) take() (H, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return 0, ErrClosed
	}
	l.users++
	return l.handle, nil
}

func (l *lease[H]) drop() {
	l.mu.Lock()
	l.users--
	last := l.shut && l.users == 0
	l.mu.Unlock()
	if last {
		l.give(l.handle)
	}
}

// close refuses new users, of which it must be one itself, and leaves the rest to
// the last drop. It says false if somebody was first.
func (l *lease[H]) close() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return false
	}
	l.shut = true
	close(l.closed)
	return true
}
