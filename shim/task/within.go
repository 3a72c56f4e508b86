package task

import (
	"context"
	"fmt"
	"time"
)

// within returns when act has, or after the bound: what hangs in the system must not keep an exit from being told. It
// goes on then, and whoever deletes the process meets what it has left.
func within(bound time.Duration, act func() error) error {
	done := make(chan error, 1)
	go func() { done <- act() }() // ends when the system answers
	overdue := time.NewTimer(bound)
	defer overdue.Stop()
	select {
	case err := <-done:
		return err
	case <-overdue.C:
		return fmt.Errorf("no answer after %s: %w", bound, context.DeadlineExceeded)
	}
}
