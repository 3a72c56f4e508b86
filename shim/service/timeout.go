package service

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/deadline"
)

// The longest times that requests take. Kernel and services have shorter timeouts where they accept one; a call that hangs
// delays its request no longer than this. Wait has no timeout.
const (
	// createTimeout is for Create and Start: a little more than the compute service is given.
	createTimeout = 5 * time.Minute
	// deleteTimeout is for Delete. Windows was seen to write layers for two minutes; an end that makes progress is not cut off.
	deleteTimeout = 24 * time.Minute
	// requestTimeout is for all others.
	requestTimeout = 15 * time.Second
	// promptTimeout is for Kill, which must answer while another request hangs. For Stats see container.BusyAfter.
	promptTimeout = 100 * time.Millisecond
)

// answer is what a call has returned, or its panic.
type answer[Response any] struct {
	response *Response
	err      error
	panicked string
}

// result returns the answer on the goroutine of the request, where the interceptor handles a panic.
func (a answer[Response]) result() (*Response, error) {
	if a.panicked != "" {
		panic(a.panicked)
	}
	return a.response, a.err
}

// logLate logs the failure of a call whose request has timed out.
func (a answer[Response]) logLate(ctx context.Context, name string) {
	switch {
	case a.panicked != "":
		log.G(ctx).Errorf("%s: panic after the request has timed out: %s", name, a.panicked)
	case a.err != nil:
		log.G(ctx).WithError(a.err).Warnf("%s: the call has failed after its request has timed out", name)
	}
}

// withTimeout bounds the requests to call. One that takes longer fails with [context.DeadlineExceeded], and its call goes
// on. If that call succeeds, undo, which may be nil, reverts it: the client has an error and will not use the result.
func withTimeout[Request, Response any](
	name string, bound time.Duration, call func(context.Context, *Request) (*Response, error), undo func(*Request),
) func(context.Context, *Request) (*Response, error) {
	return func(ctx context.Context, r *Request) (*Response, error) {
		late := func(a answer[Response]) {
			if a.err == nil && a.panicked == "" && undo != nil {
				undo(r)
			}
		}
		a, err := run(ctx, name, bound, func(ctx context.Context) (*Response, error) { return call(ctx, r) }, late)
		if err != nil {
			return nil, err
		}
		return a.result()
	}
}

// detachAfterPrompt returns what act returns, or nil after promptTimeout. act then goes on, and the log has its failure.
func detachAfterPrompt(ctx context.Context, name string, act func() error) error {
	call := func(context.Context) (*empty, error) { return nil, act() }
	a, err := run(ctx, name, promptTimeout, call, func(answer[empty]) {})
	if err != nil {
		return nil //nolint:nilerr // it goes on
	}
	_, err = a.result()
	return err
}

// run makes a call with a timeout. The error is that of the timeout, not of the call; late then gets the answer.
func run[Response any](
	ctx context.Context, name string, bound time.Duration, call func(context.Context) (*Response, error), late func(answer[Response]),
) (answer[Response], error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	a, err := deadline.Late(bound, func() (a answer[Response], _ error) {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				a.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
		}()
		a.response, a.err = call(ctx)
		return a, nil
	}, func(a answer[Response], _ error) {
		a.logLate(ctx, name)
		late(a)
	})
	if err != nil {
		return a, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}
