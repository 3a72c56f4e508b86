// Package layer mounts the layers of root file systems as volumes, and takes them down.
package layer

import (
	"context"
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/schema"
)

// Storage mounts the layers of root file systems: the seam to the storage functions of Windows. Calls may take long.
// Taking away what is not there is no error. A Storage is safe for concurrent use.
type Storage interface {
	// LayerID is the id of the read-only layer in a directory, a GUID made from its name.
	LayerID(path string) (string, error)
	// Activate attaches the disk of the layer in the directory scratch, which it makes if it is not there.
	Activate(scratch string, parents []schema.Layer) error
	Deactivate(scratch string) error
	// Prepare shows the parents under an active layer. A disk that is not up yet is [ErrNotReady].
	Prepare(scratch string, parents []schema.Layer) error
	Unprepare(scratch string) error
	// Volume names the volume of an active layer.
	Volume(scratch string) (string, error)
	// MountImage mounts the image files of a container's layers as a volume whose name is made from id.
	MountImage(id string, l plan.Layers) (volume string, err error)
	UnmountImage(id string) error
	// AttachUnion shows the parents under the volume of a layer whose parents are image files.
	AttachUnion(volume string, parents []schema.Layer) error
	DetachUnion(volume string) error
}

// ErrNotReady says that a disk which was attached is not there yet. It may be a moment later.
var ErrNotReady = errors.New("the disk is not ready")

func notReady(err error) bool { return errors.Is(err, ErrNotReady) }

// Resources are what mounting layers makes, in the order in which it is made.
func Resources(id string, l plan.Layers) (list []resource.Resource) {
	images := l.Kind != plan.WindowsLayer
	if images {
		list = append(list, resource.Resource{Kind: resource.Images, Name: id})
	}
	if l.Volume != "" {
		return list
	}
	shown := resource.Resource{Kind: resource.PreparedLayer, Path: l.Scratch}
	if images {
		shown.Kind = resource.Union
	}
	return append(list, resource.Resource{Kind: resource.ActiveLayer, Path: l.Scratch}, shown)
}

// Mount makes the root file system that l describes. Its resources must be reserved.
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

func mountImages(ctx context.Context, st Storage, id string, l plan.Layers, r *resource.Record) (*schema.Storage, error) {
	r.Begin(resource.Resource{Kind: resource.Images, Name: id})
	image, err := st.MountImage(id, l)
	if err != nil {
		return nil, fmt.Errorf("mount images of %s: %w", id, err)
	}
	out := &schema.Storage{Path: l.Volume, Layers: []schema.Layer{{Id: guidOf(image), Path: image}}}
	if l.Volume != "" {
		return out, nil
	}
	// The files of a container are below a directory of this name in an image.
	parents := []schema.Layer{{Id: guidOf(image), Path: image + "Files"}}
	r.Begin(resource.Resource{Kind: resource.ActiveLayer, Path: l.Scratch})
	if err := resource.Retry(ctx, notReady, func() error { return st.Activate(l.Scratch, parents) }); err != nil {
		return nil, fmt.Errorf("activate layer %s: %w", l.Scratch, err)
	}
	if out.Path, err = st.Volume(l.Scratch); err != nil {
		return nil, fmt.Errorf("find volume of layer %s: %w", l.Scratch, err)
	}
	r.Begin(resource.Resource{Kind: resource.Union, Path: l.Scratch})
	if err := st.AttachUnion(out.Path, parents); err != nil {
		return nil, fmt.Errorf("attach the union to %s: %w", out.Path, err)
	}
	return out, nil
}

// DetachUnion detaches the union of a layer of a dead process. A layer without a volume has none.
func DetachUnion(st Storage, scratch string) error {
	volume, err := st.Volume(scratch)
	if err != nil {
		return nil //nolint:nilerr // no volume, no union
	}
	return st.DetachUnion(volume)
}

// guidOf is the GUID in the name of a volume.
func guidOf(volume string) string {
	const prefix, length = `\\?\Volume{`, 36
	if len(volume) < len(prefix)+length {
		return ""
	}
	return volume[len(prefix) : len(prefix)+length]
}
