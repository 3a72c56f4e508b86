//go:build !windows

package network

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// System has the namespaces of this machine. Only Windows has them; releasing one succeeds elsewhere.
func System() Namespaces { return system{} }

type system struct{}

var errNoNetwork = fmt.Errorf("network namespaces require Windows: %w", errdefs.ErrNotImplemented)

func (system) CreateNamespace(string) error     { return errNoNetwork }
func (system) AddEndpoint(string, string) error { return errNoNetwork }
func (system) DeleteNamespace(string) error     { return nil }

func (system) RemoveEndpoint(string, string) error { return nil }
