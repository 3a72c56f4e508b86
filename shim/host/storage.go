package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/spec"
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
	MountImage(id string, l spec.Layers) (volume string, err error)
	UnmountImage(id string) error
	// AttachUnion shows the parents under the volume of a layer whose parents are image files.
	AttachUnion(volume string, parents []schema.Layer) error
	DetachUnion(volume string) error
}

// ErrNotReady says that a disk which was attached is not there yet. It may be a moment later.
var ErrNotReady = errors.New("the disk is not ready")

// The attempts at mounting and at giving back, and the pause between them. Under load Windows has been seen to need
// several of both.
const (
	attempts = 5
	pause    = 100 * time.Millisecond
)

// again calls try until it succeeds, worth says that its error will not pass, attempts are used up or ctx ends.
func again(ctx context.Context, worth func(error) bool, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if err == nil || n == attempts || !worth(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

func notReady(err error) bool { return errors.Is(err, ErrNotReady) }

// mountLayers makes the root file system that l describes. Each thing that is to be given back is pushed onto u
// before it is made: what breaks off half way may be there.
func mountLayers(ctx context.Context, st Storage, id string, l spec.Layers, u *undo) (*schema.Storage, error) {
	if l.Kind == spec.WindowsLayer {
		return mountDirectories(ctx, st, l, u)
	}
	return mountImages(ctx, st, id, l, u)
}

func mountDirectories(ctx context.Context, st Storage, l spec.Layers, u *undo) (*schema.Storage, error) {
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
	u.push("deactivate layer "+l.Scratch, func() error { return st.Deactivate(l.Scratch) })
	u.push("unprepare layer "+l.Scratch, func() error { return st.Unprepare(l.Scratch) })
	err := again(ctx, notReady, func() error {
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

func mountImages(ctx context.Context, st Storage, id string, l spec.Layers, u *undo) (*schema.Storage, error) {
	u.push("unmount images of "+id, func() error { return st.UnmountImage(id) })
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
	u.push("deactivate layer "+l.Scratch, func() error { return st.Deactivate(l.Scratch) })
	if err := again(ctx, notReady, func() error { return st.Activate(l.Scratch, parents) }); err != nil {
		return nil, fmt.Errorf("activate layer %s: %w", l.Scratch, err)
	}
	if out.Path, err = st.Volume(l.Scratch); err != nil {
		return nil, fmt.Errorf("find volume of layer %s: %w", l.Scratch, err)
	}
	u.push("detach the union from "+out.Path, func() error { return st.DetachUnion(out.Path) })
	if err := st.AttachUnion(out.Path, parents); err != nil {
		return nil, fmt.Errorf("attach the union to %s: %w", out.Path, err)
	}
	return out, nil
}

// unmountLayers pushes what takes down the layers that a dead process may have left mounted.
func unmountLayers(st Storage, id string, l spec.Layers, u *undo) {
	images := l.Kind != spec.WindowsLayer
	if images {
		u.push("unmount images of "+id, func() error { return st.UnmountImage(id) })
	}
	if l.Volume != "" {
		return
	}
	u.push("deactivate layer "+l.Scratch, func() error { return st.Deactivate(l.Scratch) })
	if !images {
		u.push("unprepare layer "+l.Scratch, func() error { return st.Unprepare(l.Scratch) })
		return
	}
	u.push("detach the union of "+l.Scratch, func() error {
		if volume, err := st.Volume(l.Scratch); err == nil {
			return st.DetachUnion(volume)
		}
		return nil // a layer without a volume has no union
	})
}

// guidOf is the GUID in the name of a volume.
func guidOf(volume string) string {
	const prefix, length = `\\?\Volume{`, 36
	if len(volume) < len(prefix)+length {
		return ""
	}
	return volume[len(prefix) : len(prefix)+length]
}
