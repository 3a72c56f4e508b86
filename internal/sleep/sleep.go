// Package sleep waits for a time or for the end of a context.
package sleep

import (
	"context"
	"time"
)

// For returns nil after d, or the cause of ctx if that ends first. With d of 0 or less it only checks ctx.
func For(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
