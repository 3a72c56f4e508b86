package resource

import (
	"context"
	"errors"
	"time"
)

// The attempts at making and releasing, and the pause between them. Under load Windows has been seen to need several of
// both.
const (
	attempts = 5
	pause    = 100 * time.Millisecond
)

// Retry calls try until it succeeds, five times at most and 100 ms apart. It stops early when worth says of an error that
// it will not pass, or with ctx.
func Retry(ctx context.Context, worth func(error) bool, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if err == nil || n == attempts || !worth(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// passes tells whether an error may pass soon: that of a wait which took all of its time does not.
func passes(err error) bool { return !errors.Is(err, context.DeadlineExceeded) }
