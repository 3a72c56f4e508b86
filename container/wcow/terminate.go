package wcow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/hcs"
)

// shutdownGrace is how long an orderly shutdown may take.
const shutdownGrace = 30 * time.Second

// Terminate implements [container.Container]: it returns when the compute system has exited. If the init process exited
// by itself it shuts the system down in order first, so that programs can write their data to the disk.
func (s *Container) Terminate(ctx context.Context, status uint32) error {
	s.mu.Lock()
	for p := range s.processes {
		s.processes[p] = s.processes[p] || !s.ended && isClosed(p.running.Exited())
	}
	s.ended, s.status = true, status
	orderly := s.started && !s.killed
	s.mu.Unlock()
	if s.hasExited() {
		return nil
	}
	if orderly && s.shutDown(ctx) {
		return nil
	}
	return errclass.Add(s.terminate(ctx))
}

// shutDown reports whether the system shut down within shutdownGrace. The reason if it did not has no effect, because the
// system is terminated then.
func (s *Container) shutDown(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	return s.system.ShutDown(ctx) == nil && s.awaitExit(ctx) == nil
}

// terminate ends the system and waits for its exit. The exit may precede the result of the call if a shutdown was in
// progress.
func (s *Container) terminate(ctx context.Context) error {
	result := make(chan error, 1)
	go func() { result <- s.system.Terminate(ctx) }() // ends with ctx at the latest
	select {
	case err := <-result:
		if err != nil && !s.hasExited() && !gone(err) {
			return err
		}
	case <-s.system.Exited():
	}
	return s.awaitExit(ctx)
}

// gone reports whether an error means that the object does not exist any more.
func gone(err error) bool {
	return errors.Is(err, hcs.ErrNotFound) || errors.Is(err, hcs.ErrClosed)
}

// hasExited reports whether the system has exited, or has ended with its service.
func (s *Container) hasExited() bool { return isClosed(s.system.Exited()) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// awaitExit waits for the exit of the system.
func (s *Container) awaitExit(ctx context.Context) error {
	select {
	case <-s.system.Exited():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for system %s to exit: %w", s.id, context.Cause(ctx))
	}
}

// end terminates the system if it has not exited, and closes it. It does not stop when ctx is cancelled, because the
// layers are released after it.
func (s *Container) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), teardown)
	defer cancel()
	if !s.hasExited() {
		if err := s.terminate(ctx); err != nil {
			return err
		}
	}
	return s.system.Close()
}

// Close implements [container.Container].
func (s *Container) Close() error {
	return errclass.Add(s.record.Close(context.Background()))
}

// Cleanup terminates the system id, after the process that made it has died. A system that does not exist is no error.
func Cleanup(ctx context.Context, service *hcs.Client, id string) error {
	system, err := service.Open(ctx, id)
	if errors.Is(err, hcs.ErrNotFound) || errors.Is(err, hcs.ErrUnavailable) {
		return nil // systems end with the service
	}
	if err != nil {
		return err
	}
	s := &Container{id: id, system: system}
	return errors.Join(s.terminate(ctx), system.Close())
}
