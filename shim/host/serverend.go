package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/hcs"
)

// grace is how long the inside of a container whose init has ended by itself may take to shut down in order.
const grace = 30 * time.Second

// Terminate ends everything inside and returns once the compute system has exited. When init has ended by itself the
// inside is asked to shut down first, so that what it holds gets to the disk.
func (s *Server) Terminate(ctx context.Context, status uint32) error {
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
	return classify(s.terminate(ctx))
}

// shutDown tells whether the system shut down in the time that it is given. Why it did not does not matter: it is
// terminated then.
func (s *Server) shutDown(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	return s.system.ShutDown(ctx) == nil && s.exited(ctx) == nil
}

// terminate ends the system without its consent. The exit is what counts, not the answer: an orderly end that was
// under way may come first.
func (s *Server) terminate(ctx context.Context) error {
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
	return errors.Is(err, errdefs.ErrNotFound) || errors.Is(err, hcs.ErrClosed)
}

// over tells whether the system has exited, or died with its service.
func (s *Server) over() bool {
	select {
	case <-s.system.Exited():
		return true
	default:
		return false
	}
}

// exited waits for the end of the system.
func (s *Server) exited(ctx context.Context) error {
	select {
	case <-s.system.Exited():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for system %s to exit: %w", s.id, context.Cause(ctx))
	}
}

// end makes sure of the system's end and closes it. The layers are taken down after it, so it does not give up as
// long as the service makes progress.
func (s *Server) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), teardown)
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
func (s *Server) Close() error {
	return classify(s.giveBack())
}

// giveBack gives back what can be. The list of resources goes when there is nothing left on it.
func (s *Server) giveBack() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if err := s.undo.run(context.Background()); err != nil {
		return err
	}
	return removeLedger(s.bundle)
}

// unmount takes the layers down, but not from under a system that may still write to them.
func (s *Server) unmount() error {
	if s.system != nil && !s.over() {
		return fmt.Errorf("system %s has not exited: %w", s.id, errInUse)
	}
	return s.layers.run(context.Background())
}

// cleanupServer gives back what a dead shim has left of a Windows Server container, by the list from its bundle. The
// compute system ends with its last handle; this makes sure of it first.
func (h Host) cleanupServer(ctx context.Context, bundle, id string, l *ledger) error {
	u := new(undo)
	ended := h.endSystem(ctx, id)
	if ended == nil && l.Layers != nil {
		unmountLayers(h.Storage, id, *l.Layers, u)
	}
	if l.Namespace != "" {
		undoNamespace(h.Network, l.Namespace, l.Endpoints, u)
	}
	if l.Credentials {
		u.push("remove credentials of "+id, func() error { return removeCredentials(ctx, h.Service, id) })
	}
	if err := errors.Join(ended, u.run(ctx)); err != nil {
		return classify(err)
	}
	return removeLedger(bundle)
}

// endSystem ends a system of a dead shim if the service still has it.
func (h Host) endSystem(ctx context.Context, id string) error {
	system, err := h.Service.Open(ctx, id)
	if errors.Is(err, errdefs.ErrNotFound) || errors.Is(err, errdefs.ErrUnavailable) {
		return nil // without the service there is no system
	}
	if err != nil {
		return err
	}
	s := &Server{id: id, system: system}
	return errors.Join(s.terminate(ctx), system.Close())
}
