package errclass

import (
	"context"
	"fmt"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/hcs"
)

// The class is the one that ttrpc sends, and the text does not change.
func TestAdd_CodeOfComputeService_HasContainerdsClass(t *testing.T) {
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
		if got.Error() != err.Error() {
			t.Errorf("text %q, want %q", got, err)
		}
	}
}
