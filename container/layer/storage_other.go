//go:build !windows

package layer

import (
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/schema"
)

// System is the storage of this machine. Only Windows has layers; releasing one succeeds elsewhere.
func System() Storage { return system{} }

type system struct{}

var errNoStorage = fmt.Errorf("layers require Windows: %w", errdefs.ErrNotImplemented)

func (system) LayerID(string) (string, error)                         { return "", errNoStorage }
func (system) Activate(string, []schema.Layer) error                  { return errNoStorage }
func (system) Deactivate(string) error                                { return nil }
func (system) Prepare(string, []schema.Layer) error                   { return errNoStorage }
func (system) Unprepare(string) error                                 { return nil }
func (system) Volume(string) (string, error)                          { return "", errNoStorage }
func (system) MountImage(id string, l plan.Layers) (string, error)    { return "", errNoStorage }
func (system) UnmountImage(string) error                              { return nil }
func (system) AttachUnion(volume string, layers []schema.Layer) error { return errNoStorage }
func (system) DetachUnion(string) error                               { return nil }
