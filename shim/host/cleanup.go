package host

import (
	"context"

	"github.com/siloshim/siloshim/container/resource"
)

// Cleanup gives back what a dead shim has left of a container, of whichever kind, and returns once it is gone or ctx
// has ended. A container that has left nothing is a success, so it may be called again.
func (h Host) Cleanup(ctx context.Context, namespace, id, bundle string) error {
	h = h.withDefaults()
	if err := h.cleanupJob(ctx, namespace, id); err != nil {
		return err // its members may still write to the layers
	}
	return classify(resource.Replay(ctx, bundle, id, h.releases()))
}

// releases is how this machine releases each kind of resource, in the order in which they can go.
func (h Host) releases() resource.Table {
	return resource.Table{
		{Kind: resource.System, Release: func(ctx context.Context, r resource.Resource) error { return h.endSystem(ctx, r.Name) }},
		{Kind: resource.Credentials, Release: func(ctx context.Context, r resource.Resource) error {
			return removeCredentials(ctx, h.Service, r.Name)
		}},
		{Kind: resource.Endpoint, Release: func(_ context.Context, r resource.Resource) error {
			return h.Network.RemoveEndpoint(r.In, r.Name)
		}},
		{Kind: resource.Namespace, Release: func(_ context.Context, r resource.Resource) error { return h.Network.DeleteNamespace(r.Name) }},
		{Kind: resource.Mount, Release: func(_ context.Context, r resource.Resource) error { return h.Files.Unmount(r.Path) }},
		{Kind: resource.Directory, Release: func(_ context.Context, r resource.Resource) error { return unkeep(h.Files, r.Path) }},
		{Kind: resource.Union, After: resource.System, Release: func(_ context.Context, r resource.Resource) error {
			return detachUnion(h.Storage, r.Path)
		}},
		{Kind: resource.PreparedLayer, After: resource.System, Release: func(_ context.Context, r resource.Resource) error {
			return h.Storage.Unprepare(r.Path)
		}},
		{Kind: resource.ActiveLayer, After: resource.System, Release: func(_ context.Context, r resource.Resource) error {
			return h.Storage.Deactivate(r.Path)
		}},
		{Kind: resource.Images, After: resource.System, Release: func(_ context.Context, r resource.Resource) error {
			return h.Storage.UnmountImage(r.Name)
		}},
		{Kind: resource.Logon},
		{Kind: resource.Account, Release: func(_ context.Context, r resource.Resource) error { return h.Accounts.Delete(r.Name) }},
	}
}
