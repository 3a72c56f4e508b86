// Package wcow reads what silo has of Windows Server containers: the flags of silo run --server, the configuration of
// hostcompute_nspawn, and the directories of layers.
package wcow

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/internal/textfile"
)

// chainFile is in the directory of a read-only layer and lists those below it, the nearest first. Docker and containerd
// write it.
const chainFile = "layerchain.json"

// Chain returns a read-only layer and those below it. A layer without a list is an error, as most of a file system would
// be missing; the list of a base layer is empty, or null.
func Chain(layer string) ([]string, error) {
	text, err := textfile.Read(filepath.Join(layer, chainFile))
	if err != nil {
		return nil, fmt.Errorf("read the layers below %s: %w", layer, err)
	}
	var below []string
	if err := json.Unmarshal(text, &below); err != nil {
		return nil, fmt.Errorf("read the layers below %s: %s: %w", layer, chainFile, err)
	}
	return append([]string{layer}, below...), nil
}

// Scratch is the scratch layer of the container with this directory. It is created with the container.
func Scratch(dir string) string { return filepath.Join(dir, "scratch") }

// RemoveScratch removes the scratch layer of the container with this directory. The container must be closed: the layer
// may be in use before.
func RemoveScratch(dir string) error {
	if err := os.RemoveAll(Scratch(dir)); err != nil {
		return fmt.Errorf("remove the layer to write to: %w", err)
	}
	return nil
}

// Left reports whether resources of the container with this directory are left on the machine.
func Left(dir string) bool {
	for _, path := range []string{filepath.Join(dir, resource.File), Scratch(dir)} {
		if _, err := os.Lstat(path); err == nil {
			return true
		}
	}
	return false
}
