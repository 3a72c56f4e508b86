package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// resolveNearest follows the links of that part of a path which is there.
func (h Machine) resolveNearest(path string) (string, error) {
	real, err := h.Resolve(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	for end := len(path); ; {
		if end = strings.LastIndexAny(path[:end], `\/`); end <= len(`C:`) {
			return path, nil // not even its drive
		}
		if real, err := h.Resolve(path[:end]); err == nil {
			return join(real, backslashes(path[end:])), nil
		}
	}
}

// resolve follows the links on the way to directories of layers: neither the Host Compute Service nor the filter that
// shows a layer's files does. Image files are opened by the kernel, which does.
func (l *Layers) resolve(h Machine) error {
	if l.Kind == WindowsLayer {
		parents, moved := slices.Clone(l.Parents), false // the spec's own
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
		return nil // the layer to write to is mounted
	}
	real, err := h.resolveNearest(l.Scratch)
	if err != nil {
		return fmt.Errorf("layer %q: %w", l.Scratch, err)
	}
	l.Scratch = real
	return nil
}
