package engine

import (
	"context"

	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/container/wcow"
)

// Cleanup gives back what a dead shim has left of a container, of whichever kind, and returns once it is gone or ctx
// has ended. A container that has left nothing is a success, so it may be called again.
func (e Engine) Cleanup(ctx context.Context, namespace, id, bundle string) error {
	e = e.withDefaults()
	if err := hostprocess.Cleanup(ctx, e.Kernel, namespace, id); err != nil {
		return err // its members may still write to the layers
	}
	return errclass.Add(resource.Replay(ctx, bundle, id, e.releases()))
}

// releases is how this machine releases each kind of resource, in the order in which they can go.
func (e Engine) releases() resource.Table {
	return resource.Table{
		{Kind: resource.System, Release: func(ctx context.Context, r resource.Resource) error { return wcow.Cleanup(ctx, e.Service, r.Name) }},
		{Kind: resource.Credentials, Release: func(ctx context.Context, r resource.Resource) error {
			return wcow.RemoveCredentials(ctx, e.Service, r.Name)
		}},
		{Kind: resource.Endpoint, Release: func(_ context.Context, r resource.Resource) error {
			return e.Network.RemoveEndpoint(r.In, r.Name)
		}},
		{Kind: resource.Namespace, Release: func(_ context.Context, r resource.Resource) error { return e.Network.DeleteNamespace(r.Name) }},
		{Kind: resource.Mount, Release: func(_ context.Context, r resource.Resource) error { return e.Files.Unmount(r.Path) }},
		{Kind: resource.Directory, Release: func(_ context.Context, r resource.Resource) error { return hostprocess.Unkeep(e.Files, r.Path) }},
		{Kind: resource.Union, After: resource.System, Release: func(_ context.Context, r resource.Resource) error {
			return layer.DetachUnion(e.Storage, r.Path)
		}},
		{Kind: resource.PreparedLayer, After: resource.System, Release: func(_ context.Context, r resource.Resource) error {
			return e.Storage.Unprepare(r.Path)
		}},
		{Kind: resource.ActiveLayer, After: resource.System, Release: func(_ context.Context, r resource.Resource) error {
			return e.Storage.Deactivate(r.Path)
		}},
		{Kind: resource.Images, After: resource.System, Release: func(_ context.Context, r resource.Resource) error {
			return e.Storage.UnmountImage(r.Name)
		}},
		{Kind: resource.Logon},
		{Kind: resource.Account, Release: func(_ context.Context, r resource.Resource) error { return e.Accounts.Delete(r.Name) }},
	}
}

// Orphan is an account that was made for a container, and is left after its end.
type Orphan = hostprocess.Orphan

// Orphans lists what [Engine.Cleanup] cannot know of: accounts of ours whose containers are gone, and their bundles too,
// it may be.
func (e Engine) Orphans() ([]Orphan, error) {
	return hostprocess.Orphans(e.withDefaults().Accounts, e.Kernel)
}

// Remove takes an orphan away.
func (e Engine) Remove(o Orphan) error { return e.withDefaults().Accounts.Delete(o.Account) }
