// Package deadline bounds calls that may hang, and waits for locks.
package deadline

import (
	"context"
	"fmt"
	"time"
)

// Call calls act and returns its error. After the timeout it returns an error that wraps [context.DeadlineExceeded],
// while act continues on another goroutine.
func Call(timeout time.Duration, act func() error) error {
	_, err := Value(timeout, func() (struct{}, error) { return struct{}{}, act() })
	return err
}

// Value is [Call] for a function with a result.
func Value[T any](timeout time.Duration, act func() (T, error)) (T, error) {
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
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-timer.C:
		var none T
		return none, fmt.Errorf("not finished after %s: %w", timeout, context.DeadlineExceeded)
	}
}

// Mutex is a mutex whose Lock ends with a context, for locks that are held during calls that may hang. [NewMutex] makes
// it.
type Mutex chan struct{}

// NewMutex makes an unlocked mutex.
func NewMutex() Mutex { return make(Mutex, 1) }

// Lock locks m. It returns the error of ctx when ctx ends first, and if it has ended before.
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

// Unlock unlocks m.
func (m Mutex) Unlock() { <-m }
