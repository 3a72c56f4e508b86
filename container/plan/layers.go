package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/Microsoft/go-winio/pkg/guid"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// LayerKind is the format in which layers are stored.
type LayerKind string

// The kinds, with the values of the type of containerd's mounts.
const (
	WindowsLayer LayerKind = "windows-layer" // directories
	CimFS        LayerKind = "CimFS"         // CimFS images, each forked from its parent
	BlockCIM     LayerKind = "BlockCIM"      // CimFS images in files or on block devices, merged when mounted
)

// Layers make a root file system: a writable layer over read-only ones. Paths are those of the host.
type Layers struct {
	Kind LayerKind
	// Scratch is the directory of the writable layer.
	Scratch string
	// Parents are the read-only layers, the nearest first.
	Parents []string
	// Named are the parents by the paths of the snapshotter, if links lead to directories of other names. The id of a
	// layer is derived from the name of its directory.
	Named []string `json:",omitempty"`
	// Cims are the CimFS images of the parents, in the same order.
	Cims []string `json:",omitempty"`
	// Merged is the image that merges several BlockCIM images.
	Merged string `json:",omitempty"`
	// Device reports whether the images of BlockCIM are block devices.
	Device bool `json:",omitempty"`
	// Volume is set if the caller has mounted the layers there. It also unmounts them.
	Volume string `json:",omitempty"`
}

// planLayers takes the layers of the request's mount, or of the specification.
func planLayers(s *specs.Spec, rootfs []specs.Mount) (Layers, error) {
	folders := s.Windows.LayerFolders
	var l Layers
	switch {
	case len(rootfs) > 0 && len(folders) > 0:
		return l, fmt.Errorf("windows.layerFolders and the root file system of the request exclude each other; keep one: %w", errdefs.ErrInvalidArgument)
	case len(rootfs) > 1:
		return l, fmt.Errorf("rootfs has %d mounts: one holds all layers: %w", len(rootfs), errdefs.ErrInvalidArgument)
	case len(rootfs) == 0 && len(folders) < 2:
		return l, fmt.Errorf("windows.layerFolders has %d entries: name at least one read-only layer, and last the one to write to; "+
			"or create the container with a snapshot: %w", len(folders), errdefs.ErrInvalidArgument)
	}
	if len(rootfs) == 1 {
		if err := l.fromMount(rootfs[0]); err != nil {
			return l, fmt.Errorf("rootfs: %w", err)
		}
	} else {
		last := len(folders) - 1
		l = Layers{Kind: WindowsLayer, Scratch: folders[last], Parents: folders[:last]}
	}
	l.Scratch, l.Parents = trimmed(l.Scratch), slices.Clone(l.Parents)
	for i, parent := range l.Parents {
		l.Parents[i] = trimmed(parent)
	}
	for i, path := range append([]string{l.Scratch, l.Volume}, append(l.Parents, l.Cims...)...) {
		if path == "" && i == 1 {
			continue
		}
		if !isAbs(path) || strings.ContainsRune(path, 0) {
			return l, fmt.Errorf("layer %q: it is not an absolute Windows path: %w", path, errdefs.ErrInvalidArgument)
		}
	}
	return l, l.planVolume(s.Root)
}

// planVolume takes the volume of layers that the caller has mounted.
func (l *Layers) planVolume(root *specs.Root) error {
	switch {
	case root == nil:
		return nil
	case root.Readonly:
		return fmt.Errorf("root.readonly: the root file system of a Windows container is writable: %w", errdefs.ErrInvalidArgument)
	case root.Path == "":
		return nil
	case !isVolume(root.Path):
		return fmt.Errorf("root.path: leave it empty, or name the volume of mounted layers as \\\\?\\Volume{GUID}\\: %w", errdefs.ErrInvalidArgument)
	}
	l.Volume = strings.TrimRight(root.Path, `\`) + `\`
	return nil
}

// isVolume reports whether a path is the name of a volume, \\?\Volume{GUID}, with or without a backslash at its end.
func isVolume(path string) bool {
	const prefix = `\\?\Volume{`
	id, closed := strings.CutSuffix(strings.TrimSuffix(path, `\`), "}")
	if !closed || len(id) < len(prefix) || !strings.EqualFold(id[:len(prefix)], prefix) {
		return false
	}
	_, err := guid.FromString(id[len(prefix):])
	return err == nil
}

// fromMount reads the options in which containerd's snapshotters describe layers.
//
// https://github.com/containerd/containerd/blob/main/core/mount/mount_windows.go
func (l *Layers) fromMount(m specs.Mount) error {
	*l = Layers{Kind: LayerKind(m.Type), Scratch: m.Source}
	blocks := ""
	for _, option := range m.Options {
		name, value, _ := strings.Cut(option, "=")
		var err error
		switch name {
		case "parentLayerPaths":
			err = json.Unmarshal([]byte(value), &l.Parents)
		case "parentCimPaths":
			err = json.Unmarshal([]byte(value), &l.Cims)
		case "mergedCIMPath":
			l.Merged = value
		case "blockCIMType":
			blocks = value
		case "ro":
			err = fmt.Errorf("the layer must be writable")
		}
		if err != nil {
			return fmt.Errorf("option %s: %w: %w", name, err, errdefs.ErrInvalidArgument)
		}
	}
	l.Device = blocks == "device"
	return l.check(blocks)
}

func (l *Layers) check(blocks string) error {
	var wrong string
	switch l.Kind {
	case WindowsLayer:
		if len(l.Parents) == 0 {
			wrong = "option parentLayerPaths names no layer"
		}
	case CimFS:
		if len(l.Cims) == 0 || len(l.Cims) != len(l.Parents) {
			wrong = fmt.Sprintf("options parentCimPaths and parentLayerPaths have %d and %d entries: they belong together", len(l.Cims), len(l.Parents))
		}
	case BlockCIM:
		switch {
		case len(l.Cims) == 0:
			wrong = "option parentCimPaths names no layer"
		case blocks != "device" && blocks != "file":
			wrong = fmt.Sprintf("option blockCIMType is %q: use device or file", blocks)
		case len(l.Cims) > 1 && l.Merged == "":
			wrong = "option mergedCIMPath is missing: several layers need it"
		}
	default:
		return fmt.Errorf("type %q: use %s, %s or %s: %w", l.Kind, WindowsLayer, CimFS, BlockCIM, errdefs.ErrNotImplemented)
	}
	if wrong != "" {
		return fmt.Errorf("%s: %w", wrong, errdefs.ErrInvalidArgument)
	}
	return nil
}

// resolve follows links to the directories of layers, because neither the Host Compute Service nor the layer filter does.
// Images are opened by the kernel, which follows links.
func (l *Layers) resolve(h Machine) error {
	if l.Kind == WindowsLayer {
		parents, moved := slices.Clone(l.Parents), false // the slice is that of the specification
		for i, path := range l.Parents {
			real, err := h.resolveNearest(path)
			if err != nil {
				return fmt.Errorf("layer %q: %w", path, err)
			}
			parents[i], moved = real, moved || !strings.EqualFold(base(real), base(path))
		}
		if moved {
			l.Named = l.Parents
		}
		l.Parents = parents
	}
	if l.Volume != "" {
		return nil // the writable layer is mounted
	}
	real, err := h.resolveNearest(l.Scratch)
	if err != nil {
		return fmt.Errorf("layer %q: %w", l.Scratch, err)
	}
	l.Scratch = real
	return nil
}
