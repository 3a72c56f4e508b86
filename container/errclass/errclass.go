// Package errclass adds containerd's error classes to the errors of the kernel and of the Host Compute Service.
package errclass

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// classes has containerd's class of each error. The first match counts.
var classes = []struct{ cause, class error }{
	{jobobject.ErrExist, errdefs.ErrAlreadyExists},
	{jobobject.ErrNotExist, errdefs.ErrNotFound},
	{jobobject.ErrClosed, errdefs.ErrNotFound},
	{jobobject.ErrPermission, errdefs.ErrPermissionDenied},
	{jobobject.ErrNotSupported, errdefs.ErrNotImplemented},
	{jobobject.ErrNotDirectory, errdefs.ErrNotFound},
	{jobobject.ErrNotExecutable, errdefs.ErrInvalidArgument},
	{hcs.ErrExited, errdefs.ErrNotFound},
	{resource.ErrClosed, errdefs.ErrFailedPrecondition},
	{stats.ErrBusy, errdefs.ErrUnavailable},
	{hcs.ErrNotFound, errdefs.ErrNotFound},
	{hcs.ErrAlreadyExists, errdefs.ErrAlreadyExists},
	{hcs.ErrInvalidArgument, errdefs.ErrInvalidArgument},
	{hcs.ErrInvalidState, errdefs.ErrFailedPrecondition},
	{hcs.ErrAccessDenied, errdefs.ErrPermissionDenied},
	{hcs.ErrNoResources, errdefs.ErrResourceExhausted},
	{hcs.ErrAborted, errdefs.ErrAborted},
	{hcs.ErrUnavailable, errdefs.ErrUnavailable},
}

// Add gives an error of the kernel or of the compute service its class, which its text ends with: clients print no other.
// An error that has its class, or has none, stays as it is.
func Add(err error) error {
	for _, c := range classes {
		if errors.Is(err, c.cause) && !errors.Is(err, c.class) {
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
	{hcs.CodeWin32BadDirectory, "process.cwd"},
	{hcs.CodeWin32BadImage, ""},
	{hcs.CodeWin32FileNotFound, ""},
	{hcs.CodeWin32PathNotFound, ""},
}

// Start describes an error of a process's start by its program, its directory, and the field that caused it. It does not
// contain the arguments, which may be secrets.
func Start(p *plan.Process, program, dir string, err error) error {
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
	return Add(fmt.Errorf("%s: %w", what, err))
}
