package server

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/siloshim/siloshim/internal/textfile"
)

// chainFile is in the directory of a read-only layer and lists those below it, the nearest first. Docker and containerd
// write it.
const chainFile = "layerchain.json"

// Chain is a read-only layer with those below it. A layer without a list is an error, as most of a file system would
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
