// Package layer mounts the layers of root file systems as volumes, and unmounts them.
package layer

import (
	"context"
	"errors"
	"fmt"
	"structs"

	"github.com/Microsoft/go-winio/pkg/guid"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/schema"
)

// Storage has the storage functions of a machine. Calls may take minutes. Releasing what does not exist is no error. A
// Storage is safe for concurrent use.
type Storage interface {
	// LayerID returns the id of the read-only layer in a directory: a GUID that is derived from the directory's name.
	LayerID(path string) (string, error)
	// Activate attaches the disk of the layer in the directory scratch, which it makes if it does not exist.
	Activate(scratch string, parents []schema.Layer) error
	Deactivate(scratch string) error
	// Prepare makes the parents visible in the volume of an active layer. It returns [ErrNotReady] if the disk is not
	// available yet.
	Prepare(scratch string, parents []schema.Layer) error
	Unprepare(scratch string) error
	// Volume returns the name of the volume of an active layer.
	Volume(scratch string) (string, error)
	// MountImage mounts the images of a container's layers as one volume. Its name is derived from id.
	MountImage(id string, l plan.Layers) (volume string, err error)
	UnmountImage(id string) error
	// AttachUnion makes parents that are images visible in the volume of a layer.
	AttachUnion(volume string, parents []schema.Layer) error
	DetachUnion(volume string) error
}

// ErrNotReady is returned for a disk that was attached and is not available yet.
var ErrNotReady = errors.New("the disk is not ready")

func notReady(err error) bool { return errors.Is(err, ErrNotReady) }

// Resources lists what Mount makes, in that order.
func Resources(id string, l plan.Layers) (list []resource.Resource) {
	images := l.Kind != plan.WindowsLayer
	if images {
		list = append(list, resource.Resource{Kind: resource.Images, Name: id})
	}
	if l.Volume != "" {
		return list
	}
	visible := resource.Resource{Kind: resource.PreparedLayer, Path: l.Scratch}
	if images {
		visible.Kind = resource.Union
	}
	return append(list, resource.Resource{Kind: resource.ActiveLayer, Path: l.Scratch}, visible)
}

// Mount mounts layers and returns the storage of a container document. The caller has reserved their resources. After an
// error the record releases what was made.
func Mount(ctx context.Context, st Storage, id string, l plan.Layers, r *resource.Record) (*schema.Storage, error) {
	if l.Kind == plan.WindowsLayer {
		return mountDirectories(ctx, st, l, r)
	}
	return mountImages(ctx, st, id, l, r)
}

func mountDirectories(ctx context.Context, st Storage, l plan.Layers, r *resource.Record) (*schema.Storage, error) {
	out := &schema.Storage{Path: l.Volume}
	for i, path := range l.Parents {
		name := path
		if len(l.Named) > 0 {
			name = l.Named[i]
		}
		id, err := st.LayerID(name)
		if err != nil {
			return nil, fmt.Errorf("name layer %s: %w", name, err)
		}
		out.Layers = append(out.Layers, schema.Layer{Id: id, Path: path})
	}
	if l.Volume != "" {
		return out, nil
	}
	r.Begin(resource.Resource{Kind: resource.ActiveLayer, Path: l.Scratch})
	r.Begin(resource.Resource{Kind: resource.PreparedLayer, Path: l.Scratch})
	err := resource.Retry(ctx, notReady, func() error {
		if err := st.Activate(l.Scratch, out.Layers); err != nil {
			return fmt.Errorf("activate layer %s: %w", l.Scratch, err)
		}
		if err := st.Prepare(l.Scratch, out.Layers); err != nil {
			return errors.Join(fmt.Errorf("prepare layer %s: %w", l.Scratch, err), st.Deactivate(l.Scratch))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if out.Path, err = st.Volume(l.Scratch); err != nil {
		return nil, fmt.Errorf("find volume of layer %s: %w", l.Scratch, err)
	}
	return out, nil
}

// The structures that the layer functions read. They are declared on every system so that their layout is tested there.

// driverInfo is the first argument of the layer functions.
//
//	struct DriverInfo { enum { DiffDriver, FilterDriver } Flavour; LPCWSTR HomeDir; };
type driverInfo struct {
	_       structs.HostLayout
	flavour int32
	homeDir *uint16
}

// layerDescriptor names a parent.
//
//	struct WC_LAYER_DESCRIPTOR { GUID LayerId; ULONG Flags; LPCWSTR Path; };
type layerDescriptor struct {
	_     structs.HostLayout
	id    guid.GUID
	flags uint32
	path  *uint16
}
