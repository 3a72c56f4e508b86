// Package deadline bounds calls that may hang, and waits for locks.
package deadline

import (
	"context"
	"fmt"
	"time"
)

// Call returns when act has, or after the bound with an error that wraps [context.DeadlineExceeded]. act then goes on,
// on a goroutine that ends with it.
func Call(bound time.Duration, act func() error) error {
	_, err := Value(bound, func() (struct{}, error) { return struct{}{}, act() })
	return err
}

// Value is [Call] for a function with a result.
func Value[T any](bound time.Duration, act func() (T, error)) (T, error) {
	return Late(bound, act, func(T, error) {})
}

// Late is [Value] for a result that must not be lost. If act returns after the bound, late gets what it returns, on the
// goroutine of act.
func Late[T any](bound time.Duration, act func() (T, error), late func(T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	results, left := make(chan result), make(chan struct{})
	go func() { // ends when act has returned
		var r result
		r.value, r.err = act()
		select {
		case results <- r:
		case <-left:
			late(r.value, r.err)
		}
	}()
	overdue := time.NewTimer(bound)
	defer overdue.Stop()
	select {
	case r := <-results:
		return r.value, r.err
	case <-overdue.C:
		close(left)
		var none T
		return none, fmt.Errorf("no answer after %s: %w", bound, context.DeadlineExceeded)
	}
}

// Mutex is a mutual exclusion whose wait ends with a context, for locks that are held over calls which may hang. Make
// one with [NewMutex].
type Mutex chan struct{}

// NewMutex makes an unlocked mutex.
func NewMutex() Mutex { return make(Mutex, 1) }

// Lock fails with the error of ctx, also if ctx is done already. The caller unlocks what was locked.
func (m Mutex) Lock(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		select {
		case m <- struct{}{}:
			return nil
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return fmt.Errorf("wait for another request of the same kind: %w", err)
}

// Unlock lets the next one in.
func (m Mutex) Unlock() { <-m }
