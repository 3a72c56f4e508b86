package dashboard

import "iter"

// ring keeps the latest values, up to a number. The zero value keeps none.
type ring[T any] struct {
	values []T
	oldest int // the place of the oldest value, once all places are taken
}

func newRing[T any](size int) ring[T] { return ring[T]{values: make([]T, 0, size)} }

// add adds a value. A full ring loses its oldest.
func (r *ring[T]) add(v T) {
	switch {
	case cap(r.values) == 0:
	case len(r.values) < cap(r.values):
		r.values = append(r.values, v)
	default:
		r.values[r.oldest] = v
		r.oldest = (r.oldest + 1) % len(r.values)
	}
}

// all yields the values, the oldest first.
func (r *ring[T]) all() iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range r.values {
			if !yield(r.values[(r.oldest+i)%len(r.values)]) {
				return
			}
		}
	}
}

// latest yields the values, the newest first.
func (r *ring[T]) latest() iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range r.values {
			if !yield(r.values[(r.oldest+len(r.values)-1-i)%len(r.values)]) {
				return
			}
		}
	}
}
