package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// State is where a service stands.
type State struct {
	Running bool
	Stopped bool   // neither is a service that is on the way
	Exit    uint32 // the exit code of one that stopped
}

var (
	// ErrPending says that a service is starting or stopping and takes no control meanwhile.
	ErrPending = errors.New("it is starting or stopping")
	// ErrDependents says that a service cannot stop while others need it.
	ErrDependents = errors.New("services that need it run")
)

// pollInterval is how often a service is asked for its state. The service manager notifies nobody of it through the
// calls that every Windows has.
const pollInterval = 200 * time.Millisecond

// restarter restarts a service together with those that need it, such as kubelet with containerd. It remembers those
// that it stopped, so that a second run after a failure starts them as well.
type restarter struct {
	machine Machine
	name    string
	stopped []string // dependents, in the order of their stop
}

// run stops the service and starts it, until ctx ends. Exactly the dependents that ran before run after it.
func (r *restarter) run(ctx context.Context) error {
	if err := r.stopAll(ctx); err != nil {
		return r.stillStopped(err)
	}
	if err := r.start(ctx, r.name); err != nil {
		return r.stillStopped(err)
	}
	for len(r.stopped) > 0 {
		last := len(r.stopped) - 1
		if err := r.start(ctx, r.stopped[last]); err != nil {
			return r.stillStopped(err)
		}
		r.stopped = r.stopped[:last]
	}
	return nil
}

// stillStopped adds to an error the dependents that do not run because of it.
func (r *restarter) stillStopped(err error) error {
	if len(r.stopped) == 0 {
		return err
	}
	return fmt.Errorf("%w; stopped and not started again: %s", err, strings.Join(r.stopped, ", "))
}

// stopAll stops the dependents and then the service. One that was started meanwhile is stopped, too.
func (r *restarter) stopAll(ctx context.Context) error {
	for {
		dependents, err := r.machine.Dependents(r.name)
		if err != nil {
			return err
		}
		for _, name := range dependents {
			if !slices.Contains(r.stopped, name) {
				r.stopped = append(r.stopped, name)
			}
			if err := r.stop(ctx, name); err != nil {
				return err
			}
		}
		err = r.stop(ctx, r.name)
		if startedMeanwhile := errors.Is(err, ErrDependents) && len(dependents) > 0; !startedMeanwhile || ctx.Err() != nil {
			return err
		}
	}
}

func (r *restarter) stop(ctx context.Context, name string) error {
	err := r.control(ctx, name, r.machine.Stop, func(s State) error { return pendingUnless(s.Stopped) })
	if err != nil {
		return fmt.Errorf("stop service %s: %w", name, err)
	}
	return nil
}

func (r *restarter) start(ctx context.Context, name string) error {
	err := r.control(ctx, name, r.machine.Start, func(s State) error {
		if s.Stopped {
			return fmt.Errorf("it ended with exit code %d", s.Exit)
		}
		return pendingUnless(s.Running)
	})
	if err != nil {
		return fmt.Errorf("start service %s: %w", name, err)
	}
	return nil
}

func pendingUnless(reached bool) error {
	if reached {
		return nil
	}
	return ErrPending
}

// control sends a control, again while the service is on the way into another state, and waits for the state that it
// is to bring about.
func (r *restarter) control(ctx context.Context, name string, send func(string) error, reached func(State) error) error {
	if err := poll(ctx, func() error { return send(name) }); err != nil {
		return err
	}
	return poll(ctx, func() error {
		s, err := r.machine.State(name)
		if err != nil {
			return err
		}
		return reached(s)
	})
}

// poll asks again while the answer is [ErrPending], until ctx ends.
func poll(ctx context.Context, ask func() error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := ask()
		if !errors.Is(err, ErrPending) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}
