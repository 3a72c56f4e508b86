// Package deadline bounds calls that may hang and waits for each other's turn.
package deadline

import (
	"context"
	"fmt"
	"time"
)

// Call returns when act has, or after the bound with an error that wraps [context.DeadlineExceeded]. act then goes on,
// on a goroutine that ends with it.
func Call(bound time.Duration, act func() error) error {
	done := make(chan error, 1)
	go func() { done <- act() }() // ends when act returns
	overdue := time.NewTimer(bound)
	defer overdue.Stop()
	select {
	case err := <-done:
		return err
	case <-overdue.C:
		return fmt.Errorf("no answer after %s: %w", bound, context.DeadlineExceeded)
	}
}

// Value is [Call] for a function with a result.
func Value[T any](bound time.Duration, act func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() { // ends when act returns
		var r result
		r.value, r.err = act()
		done <- r
	}()
	overdue := time.NewTimer(bound)
	defer overdue.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-overdue.C:
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
