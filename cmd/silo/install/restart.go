package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siloshim/siloshim/internal/sleep"
)

// Errors of calls that the state of a service does not allow.
var (
	// ErrDependents is returned where services run that depend on the one to stop.
	ErrDependents = errors.New("dependent services are running")
	// ErrPending is returned where a service is starting or stopping, and accepts no request.
	ErrPending = errors.New("the service is starting or stopping")
	// ErrStopped is returned where a service to stop does not run.
	ErrStopped = errors.New("the service has not been started")
	// ErrStarted is returned where a service to start is not stopped.
	ErrStarted = errors.New("the service has been started already")
)

// State is the state of a service. A paused service counts as one that runs.
type State int

// The states.
const (
	Stopped State = iota
	Starting
	Running
	Stopping
)

// Status is the status of a service.
type Status struct {
	State    State
	ExitCode uint32 // of a service that has stopped
}

// ServiceManager is what a restart needs of the Windows service manager.
type ServiceManager interface {
	// Status returns the state of a service.
	Status(name string) (Status, error)
	// Dependents lists the services that depend on a service and are not stopped, the last that started first.
	Dependents(name string) ([]string, error)
	// Stop requests that a service stops, and does not wait for it. It returns [ErrDependents], [ErrPending] or
	// [ErrStopped] where its state does not allow that.
	Stop(name string) error
	// Start starts a service, and does not wait until it runs. It returns [ErrStarted] where
	// its state does not allow that.
	Start(name string) error
}

const (
	// restartTimeout bounds one restart of containerd and of the services that depend on it.
	restartTimeout = 3 * time.Minute
	// statusInterval is the time between two calls to the service manager.
	statusInterval = 200 * time.Millisecond
)

// restart stops and starts a service, and with it the services that depend on it. It records what it stopped, so that a
// second attempt starts these services too.
type restart struct {
	manager ServiceManager
	service string
	touched bool     // the service itself was stopped or started
	stopped []string // its dependents, in the order in which they were stopped
}

// run restarts the service.
func (r *restart) run(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := r.stop(ctx, r.service); err != nil {
		return err
	}
	r.touched = true
	if err := r.start(ctx, r.service); err != nil {
		return err
	}
	return r.startDependents(ctx)
}

// undo restarts the service after its files were put back, if it may have read the others. What was stopped for it is
// started in any case.
func (r *restart) undo(ctx context.Context) error {
	again := r.startDependents
	if r.touched {
		again = r.run
	}
	ctx, cancel := bounded(context.WithoutCancel(ctx))
	defer cancel()
	err := again(ctx)
	if len(r.stopped) > 0 {
		err = errors.Join(err, fmt.Errorf("services %s are still stopped; start them by hand", strings.Join(r.stopped, ", ")))
	}
	return err
}

// bounded returns a context that ends after restartTimeout, with a cause that has the time.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, restartTimeout, fmt.Errorf("not done within %v", restartTimeout))
}

// startDependents starts what was stopped, in reverse order. A service that does not start holds up no other.
func (r *restart) startDependents(ctx context.Context) error {
	var failed []string
	var errs []error
	for _, name := range slices.Backward(r.stopped) {
		if err := r.start(ctx, name); err != nil {
			failed, errs = append(failed, name), append(errs, err)
		}
	}
	slices.Reverse(failed)
	r.stopped = failed
	return errors.Join(errs...)
}

// stop stops a service after those that depend on it. Some may start in between, so it lists them again each time that
// the service manager refuses.
//
// https://learn.microsoft.com/windows/win32/services/stopping-a-service
func (r *restart) stop(ctx context.Context, name string) error {
	for {
		dependents, err := r.manager.Dependents(name)
		if err != nil {
			return err
		}
		for _, d := range dependents {
			if err := r.stop(ctx, d); err != nil {
				return err
			}
		}
		err = r.manager.Stop(name)
		switch {
		case err == nil:
			r.recordStop(name)
			return r.await(ctx, name, Stopped)
		case errors.Is(err, ErrStopped):
			return nil
		case !errors.Is(err, ErrPending) && !errors.Is(err, ErrDependents):
			return err
		}
		if late := sleep.For(ctx, statusInterval); late != nil {
			return fmt.Errorf("stop service %s: %w: %w", name, err, late)
		}
	}
}

func (r *restart) recordStop(name string) {
	switch {
	case name == r.service:
		r.touched = true
	case !slices.Contains(r.stopped, name):
		r.stopped = append(r.stopped, name)
	}
}

// start starts a service. If another client has started it in between, that is enough.
func (r *restart) start(ctx context.Context, name string) error {
	for {
		err := r.manager.Start(name)
		if err == nil {
			return r.await(ctx, name, Running)
		}
		if !errors.Is(err, ErrStarted) {
			return err
		}
		s, err := r.manager.Status(name)
		if err != nil {
			return err
		}
		if s.State == Starting || s.State == Running {
			return r.await(ctx, name, Running)
		}
		if late := sleep.For(ctx, statusInterval); late != nil {
			return fmt.Errorf("start service %s: it is still stopping: %w", name, late)
		}
	}
}

// await waits for a state. A service that stopped instead of running has failed.
func (r *restart) await(ctx context.Context, name string, want State) error {
	doing := map[State]string{Stopped: "stop", Running: "start"}[want]
	for {
		s, err := r.manager.Status(name)
		switch {
		case err != nil:
			return err
		case s.State == want:
			return nil
		case s.State == Stopped:
			return fmt.Errorf("%s service %s: it exited with code %d", doing, name, s.ExitCode)
		}
		if late := sleep.For(ctx, statusInterval); late != nil {
			return fmt.Errorf("%s service %s: %w", doing, name, late)
		}
	}
}
