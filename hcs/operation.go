package hcs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Timeouts bound the calls of a [Client] where the caller's context does not. Only
// the Waits for an exit have no bound. A zero field means the default in its
// comment.
type Timeouts struct {
	// Query bounds queries, signals and changes of limits: 1 minute.
	Query time.Duration
	// Change bounds creation, start, pause and resume: 4 minutes.
	Change time.Duration
	// Teardown bounds shutdown and termination: 10 minutes. Containers have needed
	// two minutes to write their data to the disk.
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

// pendingCall is a call of the service on another goroutine. It continues when the
// caller stops waiting, because a thread inside computecore.dll cannot be
// interrupted. A result that comes later is undone.
type pendingCall[T any] struct {
	limit   time.Duration
	call    func() (T, error)
	release func() error // releases what call uses, and always runs after it; may be nil
	undo    func(T)      // undoes a result that came after the caller stopped waiting; may be nil
	cancel  func()       // asks the service to cancel when the caller stops waiting; may be nil
}

type result[T any] struct {
	value T
	err   error
}

// run returns the result of e, or the error of ctx or of the limit. With a result,
// no part of e still runs.
func (e pendingCall[T]) run(ctx context.Context, c *Client) (T, error) {
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
		if left && err == nil && e.undo != nil {
			e.undo(v)
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
	if e.cancel != nil {
		go e.cancel()
	}
	var none T
	return none, context.Cause(ctx)
}

func (e pendingCall[T]) finish() {
	if e.release != nil {
		_ = e.release() // no user of a handle has an error of its close
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

// cancel asks the service to end the operation early. Whether it did is known to
// the goroutine that waits for the operation.
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
