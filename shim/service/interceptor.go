package service

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/status"

	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/internal/trace"
)

// intercept handles every request: it opens a span, makes a panic an error, and maps an error's class to a status. Success
// is not logged.
func intercept(ctx context.Context, unmarshal ttrpc.Unmarshaler, info *ttrpc.UnaryServerInfo, call ttrpc.Method) (answer any, err error) {
	ctx, end := trace.StartSpan(ctx, info.FullMethod)
	defer func() {
		if r := recover(); r != nil {
			log.G(ctx).WithField(logfield.Op, info.FullMethod).Errorf("panic: %v\n%s", r, debug.Stack())
			answer, err = nil, fmt.Errorf("%s: panic in the shim, see its log: %w", info.FullMethod, errdefs.ErrInternal)
		}
		end(err)
		if err != nil {
			log.G(ctx).WithField(logfield.Op, info.FullMethod).WithError(err).Debug("request refused")
			err = errgrpc.ToGRPC(newWireError(err))
		}
	}()
	return call(ctx, unmarshal)
}

// wireError is an error as the client gets it: one line and one class. If an error wraps several, errgrpc sends all but the
// first as details, the class among them, and containerd prints each detail on a line after the message.
type wireError struct {
	text  string
	class error
}

func newWireError(err error) error {
	if _, is := status.FromError(err); is { // ttrpc's own
		return err
	}
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	return &wireError{strings.Join(lines, "; "), errdefs.Resolve(err)}
}

func (e *wireError) Error() string { return e.text }

func (e *wireError) Unwrap() error { return e.class }
