//go:build !windows

package host

import (
	"fmt"
	"io"

	"github.com/containerd/errdefs"
)

// windowsFiles has no volumes here; taking away what is not there succeeds.
type windowsFiles struct{ plainFiles }

var errNoVolumes = fmt.Errorf("volumes are of Windows: %w", errdefs.ErrNotImplemented)

func (windowsFiles) Mount(volume, dir string) error { return errNoVolumes }
func (windowsFiles) Unmount(string) error           { return nil }
func (windowsFiles) Kept(string) ([]string, error)  { return nil, errNoVolumes }
func (windowsFiles) Keep(string) (io.Closer, error) { return nil, errNoVolumes }
func (windowsFiles) Unkeep(string) error            { return nil }
