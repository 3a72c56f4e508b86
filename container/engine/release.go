package engine

import (
	"context"

	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/container/wcow"
)

// Cleanup ends a container of either kind and releases its resources, after the process that made it has died. It returns
// when that is done or ctx ends. It may be called again; without anything to release it returns nil.
func (e Engine) Cleanup(ctx context.Context, namespace, id, bundle string) error {
	e = e.withDefaults()
	if err := hostprocess.Cleanup(ctx, e.Kernel, namespace, id); err != nil {
		return err // processes may still write to the layers
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
		{Kind: resource.PodInfo},
		{Kind: resource.Logon},
		{Kind: resource.Account, After: []resource.Kind{resource.Logon}, Release: byName(e.Accounts.Delete)},
	}
}

// Orphan is an account of a container that does not exist any more.
type Orphan = hostprocess.Orphan

// Orphans lists the accounts of containers that do not exist any more. [Engine.Cleanup] cannot delete those whose bundle
// was deleted.
func (e Engine) Orphans() ([]Orphan, error) {
	return hostprocess.Orphans(e.withDefaults().Accounts, e.Kernel)
}

// Remove deletes an orphan.
func (e Engine) Remove(o Orphan) error { return e.withDefaults().Accounts.Delete(o.Account) }
