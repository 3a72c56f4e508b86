package layer

import (
	"context"
	"fmt"
	"strings"
	"structs"

	"github.com/Microsoft/go-winio/pkg/guid"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/schema"
)

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
	// An image has the files of a container in a directory of this name.
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

// DetachUnion detaches the union from the volume of the layer scratch. A layer without a volume has no union.
func DetachUnion(st Storage, scratch string) error {
	volume, err := st.Volume(scratch)
	if err != nil {
		return nil //nolint:nilerr // no volume, no union
	}
	return st.DetachUnion(volume)
}

// imageSpace is the name space of imageVolume. hcsshim has the same, so each shim finds the volumes of the other.
var imageSpace = guid.GUID{Data1: 0x6827367b, Data2: 0xc388, Data3: 0x4e9b, Data4: [8]byte{0x96, 0x1c, 0x6d, 0x2c, 0x93, 0x6c}}

// imageVolume is the GUID of the volume of a container's images.
func imageVolume(id string) (guid.GUID, error) { return guid.NewV5(imageSpace, []byte(id)) }

// guidOf is the GUID in the name of a volume.
func guidOf(volume string) string {
	const prefix, length = `\\?\Volume{`, 36
	if len(volume) < len(prefix)+length {
		return ""
	}
	return volume[len(prefix) : len(prefix)+length]
}

// splitImage splits the path of an image into its name and its parent: a directory, or for BlockCIM a file or a device. A
// device such as \\.\PhysicalDrive2 has no backslash at its end, and the root of a volume has one.
func splitImage(path string, device bool) (dir, name string) {
	path = strings.TrimRight(strings.ReplaceAll(path, "/", `\`), `\`)
	at := strings.LastIndexByte(path, '\\')
	dir, name = strings.TrimRight(path[:max(at, 0)], `\`), path[at+1:]
	rest, long := strings.CutPrefix(dir, `\\?\`)
	if !device && (len(dir) == len(`C:`) || long && !strings.Contains(rest, `\`)) {
		dir += `\`
	}
	return dir, name
}

// imagePath is one image of a merged mount.
//
//	struct CIMFS_IMAGE_PATH { PCWSTR ImageDir; PCWSTR ImageName; };
type imagePath struct {
	_         structs.HostLayout
	dir, name *uint16
}
