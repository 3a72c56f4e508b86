// Package trace puts spans around the shim's requests. It is the only importer of go.opencensus.io, so that another
// tracer could take its place.
//
// The caller's trace goes on here when its ttrpc metadata carries a W3C traceparent. Spans leave as structured log
// records with their ids; they carry names, times and error classes, never arguments.
package trace

import (
	"context"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"go.opencensus.io/trace"

	"github.com/siloshim/siloshim/internal/logfield"
)

// register makes the log the destination of all spans, with the first span.
var register = sync.OnceFunc(func() { trace.RegisterExporter(exporter{}) })

// StartSpan begins a span. end finishes it with the outcome.
func StartSpan(ctx context.Context, name string) (_ context.Context, end func(error)) {
	register()
	var span *trace.Span
	if parent, ok := parent(ctx); ok {
		ctx, span = trace.StartSpanWithRemoteParent(ctx, name, parent)
	} else {
		ctx, span = trace.StartSpan(ctx, name, trace.WithSampler(trace.NeverSample()))
	}
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(trace.Status{Code: trace.StatusCodeUnknown, Message: "failed"})
		}
		span.End()
	}
}

// parent reads the caller's span from the request's metadata.
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

// parse reads a traceparent: version, trace id, span id and flags in hexadecimal, with dashes between.
// See https://www.w3.org/TR/trace-context/#traceparent-header.
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
	}).Debug("span " + s.Message)
}
