package stats

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// ErrBusy is the error of a call that did not begin because an earlier call of the same collector has not returned. If
// a context ended the wait, the error is that of the context as well.
var ErrBusy = errors.New("an earlier call has not returned")

// acquire takes the semaphore, so that one call at a time queries the kernel. It fails with [ErrBusy] when ctx ends or
// when the call in progress has taken longer than c.busyAfter: a kernel call that hangs must not collect waiting
// goroutines. To queue behind calls that return is no failure.
func (c *Collector) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for {
		select {
		case c.sem <- struct{}{}:
			c.acquired()
			return nil
		default:
		}
		began := c.began.Load()
		var overdue <-chan time.Time // never, without a bound
		if c.busyAfter > 0 {
			timer := time.NewTimer(c.busyAfter - c.elapsed(began))
			defer timer.Stop()
			overdue = timer.C
		}
		select {
		case c.sem <- struct{}{}:
			c.acquired()
			return nil
		case <-overdue:
			if began != 0 && c.began.Load() == began {
				return fmt.Errorf("%w for %v", ErrBusy, c.elapsed(began))
			}
		case <-ctx.Done():
			return fmt.Errorf("%w for %v: %w", ErrBusy, c.elapsed(c.began.Load()), context.Cause(ctx))
		}
	}
}

// acquired notes when the call began, and raises the panic of an earlier call whose caller had left.
func (c *Collector) acquired() {
	c.began.Store(int64(time.Since(c.made)) + 1)
	if p := c.panicked; p != "" {
		c.panicked = ""
		c.release()
		panic(p)
	}
}

// release lets the next call begin. If Release came meanwhile, it closes what is kept.
func (c *Collector) release() {
	c.began.Store(0)
	<-c.sem
	if c.released.Load() {
		c.closeKept()
	}
}

// elapsed is the time since a call began; 0 stands for no call.
func (c *Collector) elapsed(began int64) time.Duration {
	if began == 0 {
		return 0
	}
	return time.Since(c.made) - time.Duration(began-1)
}

// within makes a call into the kernel for a caller that holds the semaphore and keeps it on success. When ctx ends first
// it fails, and the call goes on in its own goroutine, which drops the late result and releases the semaphore. While the
// kernel does not return, that is the only goroutine of the collector.
func within[T any](ctx context.Context, c *Collector, call func() T) (value T, err error) {
	type result struct {
		value    T
		panicked string
	}
	done, left := make(chan result), make(chan struct{})
	go func() { // ends with the call
		var r result
		defer func() {
			// A panic in another goroutine than the caller's would end the program.
			if p := recover(); p != nil {
				r.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
			select {
			case done <- r:
			case <-left:
				c.panicked = r.panicked
				c.release()
			}
		}()
		r.value = call()
	}()
	select {
	case r := <-done:
		if r.panicked != "" {
			c.release()
			panic(r.panicked)
		}
		return r.value, nil
	case <-ctx.Done():
		close(left)
		return value, fmt.Errorf("the kernel has not returned for %v: %w", c.elapsed(c.began.Load()), context.Cause(ctx))
	}
}
