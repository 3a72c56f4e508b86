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

// releases is the order in which this machine releases each kind of resource.
func (e Engine) releases() resource.Table {
	byName := func(release func(string) error) func(context.Context, resource.Resource) error {
		return func(_ context.Context, r resource.Resource) error { return release(r.Name) }
	}
	byPath := func(release func(string) error) func(context.Context, resource.Resource) error {
		return func(_ context.Context, r resource.Resource) error { return release(r.Path) }
	}
	const (
		system   = resource.System
		prepared = resource.PreparedLayer
		union    = resource.Union
		active   = resource.ActiveLayer
	)
	return resource.Table{
		{Kind: system, Release: func(ctx context.Context, r resource.Resource) error {
			return wcow.Cleanup(ctx, e.Service, r.Name)
		}},
		{Kind: resource.Credentials, Release: func(ctx context.Context, r resource.Resource) error {
			return wcow.RemoveCredentials(ctx, e.Service, r.Name)
		}},
		{Kind: resource.Endpoint, Release: func(_ context.Context, r resource.Resource) error {
			return e.Network.RemoveEndpoint(r.In, r.Name)
		}},
		{Kind: resource.Namespace, After: []resource.Kind{resource.Endpoint}, Release: byName(e.Network.DeleteNamespace)},
		{Kind: resource.Mount, Release: byPath(e.Files.Unmount)},
		{Kind: resource.Directory, Release: byPath(func(path string) error { return hostprocess.Unkeep(e.Files, path) })},
		{Kind: union, After: []resource.Kind{system}, Release: byPath(func(path string) error { return layer.DetachUnion(e.Storage, path) })},
		{Kind: prepared, After: []resource.Kind{system}, Release: byPath(e.Storage.Unprepare)},
		{Kind: active, After: []resource.Kind{system, resource.Mount, union, prepared}, Release: byPath(e.Storage.Deactivate)},
		{Kind: resource.Images, After: []resource.Kind{system, union, active}, Release: byName(e.Storage.UnmountImage)},
		{Kind: resource.Logon},
		{Kind: resource.Account, After: []resource.Kind{resource.Logon}, Release: byName(e.Accounts.Delete)},
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
