package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/containerd/log"
)

// The longest times that requests take. The kernel and the services have bounds of their own where they can be told; a
// call that hangs all the same costs its request no more than this. Wait alone takes as long as its process.
const (
	// launchBound is for what makes or starts a container: a little more than the compute service is given.
	launchBound = 5 * time.Minute
	// teardownBound is for Delete. Two minutes of writing out have been seen; an end that makes progress is not cut.
	teardownBound = 24 * time.Minute
	// requestBound is for all others.
	requestBound = 15 * time.Second
	// promptly is for what must answer while something else hangs: Kill. See host.busyAfter for Stats.
	promptly = 100 * time.Millisecond
)

// answer is what a call came to.
type answer[Response any] struct {
	response *Response
	err      error
	panicked string
}

// within bounds the requests to call. One that is overdue is answered with [context.DeadlineExceeded] and its call goes
// on; what that brings about in the end nobody asks for any more, so undo, which may be nil, takes it back.
func within[Request, Response any](
	bound time.Duration, call func(context.Context, *Request) (*Response, error), undo func(*Request),
) func(context.Context, *Request) (*Response, error) {
	return func(ctx context.Context, r *Request) (*Response, error) {
		ctx, cancel := context.WithTimeout(ctx, bound)
		answers, left := make(chan answer[Response]), make(chan struct{})
		go func() { // ends with the call
			defer cancel()
			a := try(ctx, call, r)
			select {
			case answers <- a:
			case <-left:
				a.late(ctx)
				if a.err == nil && a.panicked == "" && undo != nil {
					undo(r)
				}
			}
		}()
		overdue := time.NewTimer(bound)
		defer overdue.Stop()
		select {
		case a := <-answers:
			if a.panicked != "" {
				panic(a.panicked) // the interceptor has a word for it
			}
			return a.response, a.err
		case <-overdue.C:
			close(left)
			return nil, errOverdue
		}
	}
}

// try makes a call whose panic is an answer as well.
func try[Request, Response any](ctx context.Context, call func(context.Context, *Request) (*Response, error), r *Request) (a answer[Response]) {
	defer func() {
		if p := recover(); p != nil {
			a.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
	}()
	a.response, a.err = call(ctx, r)
	return a
}

// late is for an answer that nobody waits for.
func (a answer[Response]) late(ctx context.Context) {
	switch {
	case a.panicked != "":
		log.G(ctx).Errorf("panic of a request that was overdue: %s", a.panicked)
	case a.err != nil:
		log.G(ctx).WithError(a.err).Warn("a request that was overdue has failed")
	}
}

// errOverdue is the answer to a request whose call goes on.
var errOverdue = fmt.Errorf("the system does not answer: %w", context.DeadlineExceeded)

// soon returns when act has, or as if it had succeeded when it does not return promptly: it goes on, and the log has
// what it comes to.
func soon(ctx context.Context, act func() error) error {
	call := func(context.Context, *struct{}) (*struct{}, error) { return nil, act() }
	_, err := within(promptly, call, nil)(ctx, nil)
	if errors.Is(err, errOverdue) {
		return nil
	}
	return err
}
