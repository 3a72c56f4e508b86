//go:build !windows

package hostprocess

import (
	"fmt"
	"io"

	"github.com/containerd/errdefs"
)

// SystemFiles are those of this machine.
func SystemFiles() Files { return systemFiles{} }

// systemFiles has no volumes here; taking away what is not there succeeds.
type systemFiles struct{ plainFiles }

var errNoVolumes = fmt.Errorf("volumes are of Windows: %w", errdefs.ErrNotImplemented)

func (systemFiles) Mount(volume, dir string) error { return errNoVolumes }
func (systemFiles) Unmount(string) error           { return nil }
func (systemFiles) Kept(string) ([]string, error)  { return nil, errNoVolumes }
func (systemFiles) Keep(string) (io.Closer, error) { return nil, errNoVolumes }
func (systemFiles) Unkeep(string) error            { return nil }
