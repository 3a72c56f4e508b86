package shim

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/types/known/anypb"
)

// samples are the statistics of one task. One request at a time asks the system about the task's processes, which may
// hang; a Stats behind it is answered promptly with the last sample, whose timestamp says how old it is. It is safe for
// concurrent use.
type samples struct {
	turn chan struct{} // holds a value while the system is asked

	mu   sync.Mutex // guards the field below
	last *anypb.Any
}

func newSamples() *samples { return &samples{turn: make(chan struct{}, 1)} }

// enter takes the turn, for the caller to end, unless ctx ends first.
func (s *samples) enter(ctx context.Context) (end func(), err error) {
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the system has not answered yet: %w", errdefs.ErrUnavailable)
	}
}

// take asks the system. Without an answer in time, and without a last sample, it fails with [errdefs.ErrUnavailable].
func (s *samples) take(ctx context.Context, ask func() (*anypb.Any, error)) (*anypb.Any, error) {
	soon, cancel := context.WithTimeout(ctx, promptly)
	defer cancel()
	end, err := s.enter(soon)
	if err != nil {
		return s.former(err)
	}
	call := func(context.Context, *struct{}) (*anypb.Any, error) {
		defer end()
		sample, err := ask()
		if err == nil {
			s.mu.Lock()
			s.last = sample
			s.mu.Unlock()
		}
		return sample, err
	}
	sample, err := within(requestBound, call, nil)(ctx, nil)
	if errors.Is(err, errOverdue) {
		return s.former(err)
	}
	return sample, err
}

// former is the last sample, or else err.
func (s *samples) former(err error) (*anypb.Any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return nil, err
	}
	return s.last, nil
}
