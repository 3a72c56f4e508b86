//go:build !windows

package podinfo

import (
	"io"

	"github.com/siloshim/siloshim/jobobject"
)

// System has no pods on this system.
func System() Store { return system{} }

type system struct{}

func (system) Publish(string, Pod) (io.Closer, error) { return nil, jobobject.ErrNotSupported }

func (system) Read(string) (Pod, error) { return Pod{}, jobobject.ErrNotSupported }
