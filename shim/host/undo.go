package host

import (
	"context"
	"errors"
	"fmt"
)

// errInUse says that something cannot be given back as long as something else is there.
var errInUse = errors.New("it is in use")

// passing tells whether an error may pass soon: that of a wait which took all of its time does not.
func passing(err error) bool {
	return !errors.Is(err, errInUse) && !errors.Is(err, context.DeadlineExceeded)
}

// undo is what has to be given back, the newest last. It is used by one goroutine at a time.
type undo struct{ steps []step }

type step struct {
	name string
	back func() error
}

func (u *undo) push(name string, back func() error) { u.steps = append(u.steps, step{name, back}) }

// run gives everything back, the newest first, and tries each more than once. What could not be given back stays, for
// a later run, and does not keep the rest.
func (u *undo) run(ctx context.Context) error {
	var (
		failed []error
		left   []step
	)
	for i := len(u.steps) - 1; i >= 0; i-- {
		s := u.steps[i]
		if err := again(ctx, passing, s.back); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
			left = append([]step{s}, left...)
		}
	}
	u.steps = left
	return errors.Join(failed...)
}
