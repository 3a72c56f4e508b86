//go:build !windows

package host

import (
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/schema"
)

// windowsStorage has nothing to offer here; taking away what is not there succeeds.
type windowsStorage struct{}

var errNoStorage = fmt.Errorf("layers are of Windows: %w", errdefs.ErrNotImplemented)

func (windowsStorage) LayerID(string) (string, error)                         { return "", errNoStorage }
func (windowsStorage) Activate(string, []schema.Layer) error                  { return errNoStorage }
func (windowsStorage) Deactivate(string) error                                { return nil }
func (windowsStorage) Prepare(string, []schema.Layer) error                   { return errNoStorage }
func (windowsStorage) Unprepare(string) error                                 { return nil }
func (windowsStorage) Volume(string) (string, error)                          { return "", errNoStorage }
func (windowsStorage) MountImage(id string, l plan.Layers) (string, error)    { return "", errNoStorage }
func (windowsStorage) UnmountImage(string) error                              { return nil }
func (windowsStorage) AttachUnion(volume string, layers []schema.Layer) error { return errNoStorage }
func (windowsStorage) DetachUnion(string) error                               { return nil }
