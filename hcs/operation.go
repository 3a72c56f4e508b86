package hcs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Timeouts bound the calls of a [Client] where the caller's context does not. No
// call waits for ever; only the Waits for an exit do. A zero field has the
// default that its comment names.
type Timeouts struct {
	// Query bounds what only looks, signals or adjusts: 1 minute.
	Query time.Duration
	// Change bounds creating, starting, pausing and resuming: 4 minutes.
	Change time.Duration
	// Teardown bounds shutting down and terminating: 10 minutes. Two minutes of
	// writing out have been seen, and a container that is cut off there loses data.
	Teardown time.Duration
}

func (t Timeouts) query() time.Duration    { return orDefault(t.Query, time.Minute) }
func (t Timeouts) change() time.Duration   { return orDefault(t.Change, 4*time.Minute) }
func (t Timeouts) teardown() time.Duration { return orDefault(t.Teardown, 10*time.Minute) }

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// errand is a call of the service on a goroutine of its own. A caller who will
// not wait any longer leaves it behind, and it goes on: a thread inside of
// computecore.dll cannot be called back. Whatever it brings home then is undone.
type errand[T any] struct {
	limit time.Duration
	call  func() (T, error)
	final func() error // releases what call uses, and always runs after it; may be nil
	late  func(T)      // undoes a result that nobody waited for; may be nil
	leave func()       // asks for an early end, on a goroutine of its own; may be nil
}

type result[T any] struct {
	value T
	err   error
}

// run returns the result of e, or the end of ctx or of the time. With a result,
// nothing of e is left to be done.
func (e errand[T]) run(ctx context.Context, c *Client) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.limit, fmt.Errorf("no answer in %v: %w", e.limit, context.DeadlineExceeded))
	defer cancel()
	if ctx.Err() != nil {
		e.finish()
		var none T
		return none, context.Cause(ctx)
	}
	var (
		decided atomic.Bool // by the first to swap: the result counts, or the caller has left
		done    = make(chan result[T], 1)
	)
	c.begin()
	go func() {
		v, err := e.call()
		e.finish()
		left := decided.Swap(true)
		if left && err == nil && e.late != nil {
			e.late(v)
		}
		c.end()
		if !left {
			done <- result[T]{v, err}
		}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	if decided.Swap(true) {
		r := <-done
		return r.value, r.err
	}
	if e.leave != nil {
		go e.leave()
	}
	var none T
	return none, context.Cause(ctx)
}

func (e errand[T]) finish() {
	if e.final != nil {
		_ = e.final() // no user of a handle has an error of its close
	}
}

// operation is what the service tracks an asynchronous call by.
type operation struct {
	service Service

	mu     sync.Mutex // guards the fields below; closing waits for a cancel under way
	handle OperationHandle
	open   bool
}

// do makes an operation for the length of call.
func do[T any](o *operation, call func(OperationHandle) (T, error)) (T, error) {
	h, err := o.service.CreateOperation()
	if err != nil {
		var none T
		return none, err
	}
	o.mu.Lock()
	o.handle, o.open = h, true
	o.mu.Unlock()
	defer o.close()
	return call(h)
}

func (o *operation) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = false
	o.service.CloseOperation(o.handle)
}

// cancel asks the service to give the operation up. That may come to nothing; the
// goroutine that waits for the operation is the one that will know.
func (o *operation) cancel() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open {
		_ = o.service.CancelOperation(o.handle)
	}
}

// query is the answer to an operation that has a document and no handle.
func query(s Service, o *operation, submit func(OperationHandle) error) (string, error) {
	return do(o, func(op OperationHandle) (string, error) {
		if err := submit(op); err != nil {
			return "", err
		}
		return s.WaitOperation(op)
	})
}
