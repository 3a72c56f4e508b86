package host

import (
	"context"
	"fmt"
)

// semaphore lets one in at a time. It may be held over calls into the kernel, which may hang: the wait for it ends with
// a context.
type semaphore chan struct{}

func newSemaphore() semaphore { return make(semaphore, 1) }

// acquire fails with the error of ctx, also if ctx is done already. The caller releases what was acquired.
func (s semaphore) acquire(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		select {
		case s <- struct{}{}:
			return nil
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return fmt.Errorf("wait for another request of the same kind: %w", err)
}

func (s semaphore) release() { <-s }
