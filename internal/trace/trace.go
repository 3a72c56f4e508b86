// Package trace makes spans for the requests of the shim. Only this package imports go.opencensus.io, so that the library
// can be replaced.
//
// A span continues the caller's trace if the ttrpc metadata has a W3C traceparent. Spans are written as structured log
// records with names, times and error classes, and without arguments.
package trace

import (
	"context"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"go.opencensus.io/trace"
	"google.golang.org/grpc/status"

	"github.com/siloshim/siloshim/internal/logfield"
)

// register registers the exporter. The first span calls it.
var register = sync.OnceFunc(func() { trace.RegisterExporter(exporter{}) })

// StartSpan begins a span whose parent is the span in ctx, or else that of the caller. end ends it with an error or nil.
// The span is logged if the caller samples the trace.
func StartSpan(ctx context.Context, name string) (_ context.Context, end func(error)) {
	register()
	var span *trace.Span
	if caller, ok := parent(ctx); ok && trace.FromContext(ctx) == nil {
		ctx, span = trace.StartSpanWithRemoteParent(ctx, name, caller, trace.WithSampler(asParent))
	} else {
		ctx, span = trace.StartSpan(ctx, name, trace.WithSampler(asParent))
	}
	return ctx, func(err error) {
		span.SetStatus(outcome(err))
		span.End()
	}
}

// asParent samples the traces that the caller samples.
func asParent(p trace.SamplingParameters) trace.SamplingDecision {
	return trace.SamplingDecision{Sample: p.ParentContext.IsSampled()}
}

// outcome is the class of an error. The text is left out, because it may contain arguments.
func outcome(err error) trace.Status {
	code := status.Code(errgrpc.ToGRPC(err))
	return trace.Status{Code: int32(code), Message: code.String()}
}

// parent reads the caller's span from the metadata of the request.
func parent(ctx context.Context) (trace.SpanContext, bool) {
	values, ok := ttrpc.GetMetadata(ctx)
	if !ok {
		return trace.SpanContext{}, false
	}
	header, ok := values.Get("traceparent")
	if !ok || len(header) == 0 {
		return trace.SpanContext{}, false
	}
	return parse(header[0])
}

// parse reads a traceparent: version, trace id, span id and flags in hexadecimal, separated by dashes.
//
// https://www.w3.org/TR/trace-context/#traceparent-header
func parse(header string) (s trace.SpanContext, ok bool) {
	parts := strings.Split(header, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" {
		return s, false
	}
	var flags [1]byte
	if !decode(s.TraceID[:], parts[1]) || !decode(s.SpanID[:], parts[2]) || !decode(flags[:], parts[3]) {
		return trace.SpanContext{}, false
	}
	if s.TraceID == (trace.TraceID{}) || s.SpanID == (trace.SpanID{}) {
		return trace.SpanContext{}, false
	}
	s.TraceOptions = trace.TraceOptions(flags[0])
	return s, true
}

func decode(to []byte, from string) bool {
	if hex.DecodedLen(len(from)) != len(to) {
		return false
	}
	_, err := hex.Decode(to, []byte(from))
	return err == nil
}

// exporter writes finished spans to the log.
type exporter struct{}

// ExportSpan implements [trace.Exporter].
func (exporter) ExportSpan(s *trace.SpanData) {
	log.L.WithFields(log.Fields{
		logfield.TraceID:  s.TraceID.String(),
		logfield.SpanID:   s.SpanID.String(),
		logfield.ParentID: s.ParentSpanID.String(),
		logfield.Op:       s.Name,
		logfield.Duration: s.EndTime.Sub(s.StartTime).String(),
		logfield.Status:   s.Message,
	}).Debug("span")
}
