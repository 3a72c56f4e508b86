package host

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/stats"
)

// classes are containerd's for the kernel's errors.
var classes = []struct{ kernel, class error }{
	{jobobject.ErrExist, errdefs.ErrAlreadyExists},
	{jobobject.ErrNotExist, errdefs.ErrNotFound},
	{jobobject.ErrClosed, errdefs.ErrNotFound},
	{jobobject.ErrNotSupported, errdefs.ErrNotImplemented},
	{jobobject.ErrNotDirectory, errdefs.ErrNotFound},
	{jobobject.ErrNotExecutable, errdefs.ErrInvalidArgument},
	{hcs.ErrExited, errdefs.ErrNotFound},
	{stats.ErrBusy, errdefs.ErrUnavailable},
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

// blamed are the fields of a process that errors of its start are about: its program, where none is named.
var blamed = []struct {
	err   error
	field string
}{
	{jobobject.ErrNotDirectory, "process.cwd"},
	{jobobject.ErrNotExecutable, ""},
	{jobobject.ErrNotExist, ""},
	{hcs.BadDirectory, "process.cwd"},
	{hcs.BadImage, ""},
	{hcs.FileNotFound, ""},
	{hcs.PathNotFound, ""},
}

// startError says what could not be started, where, and which field is to blame if one is. Arguments may be secrets, so
// no command line is in it.
func startError(p *spec.Process, program, dir string, err error) error {
	what := "start " + program
	if dir != "" {
		what += " in " + dir
	}
	for _, b := range blamed {
		if errors.Is(err, b.err) {
			what = cmp.Or(b.field, p.Field) + ": " + what
			break
		}
	}
	return classify(fmt.Errorf("%s: %w", what, err))
}
