package host

import (
	"errors"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

// classes are containerd's for the kernel's errors.
var classes = []struct{ kernel, class error }{
	{jobobject.ErrExist, errdefs.ErrAlreadyExists},
	{jobobject.ErrNotExist, errdefs.ErrNotFound},
	{jobobject.ErrClosed, errdefs.ErrNotFound},
	{jobobject.ErrNotSupported, errdefs.ErrNotImplemented},
	{hcs.ErrExited, errdefs.ErrNotFound},
}

// classify gives a kernel error its class of containerd's, once, here.
func classify(err error) error {
	for _, c := range classes {
		if errors.Is(err, c.kernel) {
			return fmt.Errorf("%w: %w", err, c.class)
		}
	}
	return err
}
