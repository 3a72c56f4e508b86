package host

import (
	"context"
	"errors"
)

// Cleanup gives back what a dead shim has left of a container, of whichever kind, and returns once it is gone or ctx
// has ended. A container that has left nothing is a success, so it may be called again.
func (h Host) Cleanup(ctx context.Context, namespace, id, bundle string) error {
	return errors.Join(h.cleanupJob(ctx, namespace, id), h.cleanupServer(ctx, bundle, id))
}
