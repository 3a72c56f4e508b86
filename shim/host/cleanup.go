package host

import (
	"context"
	"errors"
	"slices"
)

// Cleanup gives back what a dead shim has left of a container, of whichever kind, and returns once it is gone or ctx
// has ended. A container that has left nothing is a success, so it may be called again.
func (h Host) Cleanup(ctx context.Context, namespace, id, bundle string) error {
	h = h.withDefaults()
	ended := h.cleanupJob(ctx, namespace, id)
	l, err := readLedger(bundle)
	switch {
	case err != nil:
		return errors.Join(ended, err)
	case l == nil:
		return errors.Join(ended, removeLedger(bundle)) // there may be a draft
	case !l.Job:
		return errors.Join(ended, h.cleanupServer(ctx, bundle, id, l))
	case ended != nil:
		return ended // its members may still write to the layers
	}
	if err := h.cleanupRoot(ctx, id, l); err != nil {
		return classify(err)
	}
	return removeLedger(bundle)
}

// cleanupRoot gives back what a job container that has ended had of files and accounts.
func (h Host) cleanupRoot(ctx context.Context, id string, l *ledger) error {
	u := new(undo)
	if l.Account != "" {
		u.push("delete account "+l.Account, func() error { return h.Accounts.Delete(l.Account) })
	}
	if l.Layers != nil {
		unmountLayers(h.Storage, id, *l.Layers, u)
	}
	u.push("give back the kept directories", func() error {
		var errs []error
		for _, dir := range slices.Backward(l.Kept) {
			errs = append(errs, unkeep(h.Files, dir))
		}
		return errors.Join(errs...)
	})
	if l.Mount != "" {
		u.push("unmount "+l.Mount, func() error { return h.Files.Unmount(l.Mount) })
	}
	return u.run(ctx)
}
