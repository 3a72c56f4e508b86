package errclass

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

// TestAdd_CodeOfTheComputeService_HasContainerdsClass: the class is that of the wire, and is at the end of the text, once.
func TestAdd_CodeOfTheComputeService_HasContainerdsClass(t *testing.T) {
	for code, want := range map[hcs.Code]error{
		hcs.CodeSystemNotFound:        errdefs.ErrNotFound,
		hcs.CodeSystemAlreadyStopped:  errdefs.ErrNotFound,
		hcs.CodeProcessAlreadyStopped: errdefs.ErrNotFound,
		hcs.CodeSystemAlreadyExists:   errdefs.ErrAlreadyExists,
		hcs.CodeInvalidJSON:           errdefs.ErrInvalidArgument,
		hcs.CodeInvalidState:          errdefs.ErrFailedPrecondition,
		hcs.CodeHyperVNotInstalled:    errdefs.ErrFailedPrecondition,
		hcs.CodeAccessDenied:          errdefs.ErrPermissionDenied,
		hcs.CodeWin32NoResources:      errdefs.ErrResourceExhausted,
		hcs.CodeTerminated:            errdefs.ErrAborted,
		hcs.CodeServiceDisconnect:     errdefs.ErrUnavailable,
		hcs.CodeWin32NotSupported:     errdefs.ErrNotImplemented,
		hcs.CodeOperationTimeout:      context.DeadlineExceeded,
		0x8000FFFF:                    errdefs.ErrUnknown,
	} {
		err := fmt.Errorf("start c: %w", &hcs.Error{Op: "start system", ID: "c", Err: &hcs.Failure{Code: code}})
		got := Add(err)
		if class := errdefs.Resolve(got); class != want { //nolint:errorlint // Resolve returns the class itself
			t.Errorf("%v: class %v, want %v", code, class, want)
		}
		text := err.Error()
		if !errors.Is(err, want) && !errors.Is(want, errdefs.ErrUnknown) {
			text += ": " + want.Error()
		}
		if again := Add(got); got.Error() != text || again.Error() != text {
			t.Errorf("text %q and %q, want %q", got, again, text)
		}
	}
}

func TestAdd_ErrorOfAJob_HasContainerdsClass(t *testing.T) {
	for cause, want := range map[error]error{
		jobobject.ErrExist:         errdefs.ErrAlreadyExists,
		jobobject.ErrNotExist:      errdefs.ErrNotFound,
		jobobject.ErrClosed:        errdefs.ErrNotFound,
		jobobject.ErrPermission:    errdefs.ErrPermissionDenied,
		jobobject.ErrNotSupported:  errdefs.ErrNotImplemented,
		jobobject.ErrNotDirectory:  errdefs.ErrNotFound,
		jobobject.ErrNotExecutable: errdefs.ErrInvalidArgument,
	} {
		got := Add(&jobobject.Error{Op: "open job", Name: "c", Err: cause})
		if class := errdefs.Resolve(got); class != want { //nolint:errorlint // Resolve returns the class itself
			t.Errorf("%v: class %v, want %v", cause, class, want)
		}
	}
}
