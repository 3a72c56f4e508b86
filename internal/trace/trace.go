// Package trace makes spans for the requests of the shim.
//
// A span continues the caller's trace if the ttrpc metadata has a W3C traceparent and the caller samples that trace. It is
// written as a structured log record with a name, a time and an error class, and without arguments.
package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"

	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/status"

	"github.com/siloshim/siloshim/internal/logfield"
)

// span identifies a span. Its trace is the caller's.
type span struct {
	trace   [16]byte
	id      [8]byte
	sampled bool
}

// spanKey is the key of the span in a context.
type spanKey struct{}

// StartSpan begins a span whose parent is the span in ctx, or else that of the caller. end logs it with the class of an
// error, or with OK for nil. If the caller does not sample the trace nothing is logged.
func StartSpan(ctx context.Context, name string) (_ context.Context, end func(error)) {
	parent, ok := ctx.Value(spanKey{}).(span)
	if !ok {
		parent = caller(ctx)
	}
	if !parent.sampled {
		return ctx, func(error) {}
	}
	s, began := parent, time.Now()
	_, _ = rand.Read(s.id[:]) // it never fails
	return context.WithValue(ctx, spanKey{}, s), func(err error) {
		log.L.WithFields(log.Fields{
			logfield.TraceID:  hex.EncodeToString(s.trace[:]),
			logfield.SpanID:   hex.EncodeToString(s.id[:]),
			logfield.ParentID: hex.EncodeToString(parent.id[:]),
			logfield.Op:       name,
			logfield.Duration: time.Since(began).String(),
			logfield.Status:   status.Code(errgrpc.ToGRPC(err)).String(), // the text may contain arguments
		}).Debug("span")
	}
}

// caller reads the caller's span from the metadata of the request. It is zero without one.
func caller(ctx context.Context) (s span) {
	values, _ := ttrpc.GetMetadata(ctx)
	if header, _ := values.Get("traceparent"); len(header) > 0 {
		s, _ = parse(header[0])
	}
	return s
}

// parse reads a traceparent: version, trace id, span id and flags in hexadecimal, separated by dashes.
//
// https://www.w3.org/TR/trace-context/#traceparent-header
func parse(header string) (s span, ok bool) {
	parts := strings.Split(header, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" {
		return s, false
	}
	var flags [1]byte
	if !decode(s.trace[:], parts[1]) || !decode(s.id[:], parts[2]) || !decode(flags[:], parts[3]) {
		return span{}, false
	}
	if s.trace == [16]byte{} || s.id == [8]byte{} {
		return span{}, false
	}
	s.sampled = flags[0]&1 != 0
	return s, true
}

func decode(to []byte, from string) bool {
	if hex.DecodedLen(len(from)) != len(to) {
		return false
	}
	_, err := hex.Decode(to, []byte(from))
	return err == nil
}
