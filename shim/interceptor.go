package shim

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"

	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/internal/trace"
)

// intercept is what every request goes through: a span around it, a panic made an error, an error given its class on
// the wire. Success is not logged.
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
			err = errgrpc.ToGRPC(err)
		}
	}()
	return call(ctx, unmarshal)
}
