package wcow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/hcs"
)

// grace is how long the inside of a container whose init has ended by itself may take to shut down in order.
const grace = 30 * time.Second

// Terminate ends everything inside and returns once the compute system has exited. When init has ended by itself the
// inside is asked to shut down first, so that what it holds gets to the disk.
func (s *Container) Terminate(ctx context.Context, status uint32) error {
	s.mu.Lock()
	s.ended, s.status = true, status
	orderly := s.started && !s.killed
	s.mu.Unlock()
	if s.over() {
		return nil
	}
	if orderly && s.shutDown(ctx) {
		return nil
	}
	return errclass.Add(s.terminate(ctx))
}

// shutDown tells whether the system shut down in the time that it is given. Why it did not does not matter: it is
// terminated then.
func (s *Container) shutDown(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	return s.system.ShutDown(ctx) == nil && s.exited(ctx) == nil
}

// terminate ends the system without its consent. The exit is what counts, not the answer: an orderly end that was
// under way may come first.
func (s *Container) terminate(ctx context.Context) error {
	answer := make(chan error, 1)
	go func() { answer <- s.system.Terminate(ctx) }() // ends with ctx at the latest
	select {
	case err := <-answer:
		if err != nil && !s.over() && !gone(err) {
			return err
		}
	case <-s.system.Exited():
	}
	return s.exited(ctx)
}

// gone tells whether an error means that there is nothing left to end.
func gone(err error) bool {
	return errors.Is(err, hcs.ErrNotFound) || errors.Is(err, hcs.ErrClosed)
}

// over tells whether the system has exited, or died with its service.
func (s *Container) over() bool {
	select {
	case <-s.system.Exited():
		return true
	default:
		return false
	}
}

// exited waits for the end of the system.
func (s *Container) exited(ctx context.Context) error {
	select {
	case <-s.system.Exited():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for system %s to exit: %w", s.id, context.Cause(ctx))
	}
}

// end makes sure of the system's end and closes it. The layers are taken down after it, so it does not give up as
// long as the service makes progress.
func (s *Container) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), teardown)
	defer cancel()
	if !s.over() {
		if err := s.terminate(ctx); err != nil {
			return err
		}
	}
	return s.system.Close()
}

// Close gives back everything that the container has of the machine; what is left of it ends. It tries whatever it
// can, and may be called again for the rest.
func (s *Container) Close() error {
	return errclass.Add(s.record.Close(context.Background()))
}

// Cleanup ends a system of a dead process if the service still has it.
func Cleanup(ctx context.Context, service *hcs.Client, id string) error {
	system, err := service.Open(ctx, id)
	if errors.Is(err, hcs.ErrNotFound) || errors.Is(err, hcs.ErrUnavailable) {
		return nil // without the service there is no system
	}
	if err != nil {
		return err
	}
	s := &Container{id: id, system: system}
	return errors.Join(s.terminate(ctx), system.Close())
}
