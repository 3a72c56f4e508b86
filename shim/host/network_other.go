//go:build !windows

package host

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// windowsNetwork has nothing to offer here; taking away what is not there succeeds.
type windowsNetwork struct{}

var errNoNetwork = fmt.Errorf("network namespaces are of Windows: %w", errdefs.ErrNotImplemented)

func (windowsNetwork) CreateNamespace(string) error     { return errNoNetwork }
func (windowsNetwork) AddEndpoint(string, string) error { return errNoNetwork }
func (windowsNetwork) DeleteNamespace(string) error     { return nil }

func (windowsNetwork) RemoveEndpoint(string, string) error { return nil }
