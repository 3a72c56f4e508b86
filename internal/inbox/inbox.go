// Package inbox hands values to at most one reader. A sender never waits for it.
package inbox

import "sync"

// Inbox is a channel that is made when a reader asks for it. The zero value is ready for use. All methods are safe for
// concurrent use.
type Inbox[T any] struct {
	mu     sync.Mutex // guards the fields below
	c      chan T
	closed bool
}

// Values returns the channel, the same one each time. room is how many values wait for a slow reader before more are dropped.
// Values before the first call are dropped.
func (b *Inbox[T]) Values(room int) <-chan T {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan T, room)
		if b.closed {
			close(b.c)
		}
	}
	return b.c
}

// Put sends a value, or drops it.
func (b *Inbox[T]) Put(v T) {
	b.mu.Lock() // the send does not block
	defer b.mu.Unlock()
	if b.c == nil || b.closed {
		return
	}
	select {
	case b.c <- v:
	default:
	}
}

// Close closes the channel. It may be called again.
func (b *Inbox[T]) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed && b.c != nil {
		close(b.c)
	}
	b.closed = true
}
