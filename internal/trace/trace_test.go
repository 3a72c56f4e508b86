package trace

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
)

func TestParse_Header_SpanContextOrRefused(t *testing.T) {
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	s, ok := parse(good)
	if !ok || hex.EncodeToString(s.trace[:]) != "4bf92f3577b34da6a3ce929d0e0e4736" || hex.EncodeToString(s.id[:]) != "00f067aa0ba902b7" || !s.sampled {
		t.Errorf("parse(%q) = %+v, %v", good, s, ok)
	}
	for _, bad := range []string{
		"", "00", "00-4bf9-00f067aa0ba902b7-01", "ff" + good[2:],
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-zzf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	} {
		if s, ok := parse(bad); ok {
			t.Errorf("parse(%q) = %+v, want it refused", bad, s)
		}
	}
}

// records redirects the log of a test to a buffer.
func records(t *testing.T) *bytes.Buffer {
	t.Helper()
	level := log.GetLevel()
	var out bytes.Buffer
	log.L.Logger.SetOutput(&out)
	if err := log.SetFormat(log.JSONFormat); err != nil {
		t.Fatal(err)
	}
	if err := log.SetLevel("debug"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		log.L.Logger.SetOutput(io.Discard)
		if err := log.SetLevel(level.String()); err != nil {
			t.Error(err)
		}
	})
	return &out
}

func called(header string) context.Context {
	return ttrpc.WithMetadata(context.Background(), ttrpc.MD{"traceparent": {header}})
}

func TestStartSpan_SampledCaller_ContinuesTrace(t *testing.T) {
	out := records(t)
	ctx, end := StartSpan(called("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "outer")
	_, endInner := StartSpan(ctx, "inner")
	endInner(nil)
	end(fmt.Errorf("start the secret: %w", errdefs.ErrNotFound))

	type record struct {
		Trace  string `json:"trace_id"`
		Span   string `json:"span_id"`
		Parent string `json:"parent_span_id"`
		Op     string `json:"op"`
		Status string `json:"status"`
	}
	var inner, outer record
	d := json.NewDecoder(out)
	for _, r := range []*record{&inner, &outer} {
		if err := d.Decode(r); err != nil {
			t.Fatal(err)
		}
	}
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	if want := (record{trace, outer.Span, "00f067aa0ba902b7", "outer", "NotFound"}); outer != want {
		t.Errorf("outer span %+v, want %+v", outer, want)
	}
	if want := (record{trace, inner.Span, outer.Span, "inner", "OK"}); inner != want {
		t.Errorf("inner span %+v, want %+v", inner, want)
	}
}

func TestStartSpan_NoSampledCaller_LogsNothing(t *testing.T) {
	for name, ctx := range map[string]context.Context{
		"no caller":   context.Background(),
		"not sampled": called("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
		"not a trace": called("nonsense"),
	} {
		out := records(t)
		_, end := StartSpan(ctx, "span")
		end(nil)
		if out.Len() > 0 {
			t.Errorf("%s: logged %s", name, out)
		}
	}
}

// FuzzParse: a header is refused, or identifies a trace and a span.
func FuzzParse(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Add("00-00000000000000000000000000000000-b7ad6b7169203331-01")
	f.Add("ff---")
	f.Fuzz(func(t *testing.T, header string) {
		s, ok := parse(header)
		if ok == (s.trace == [16]byte{} || s.id == [8]byte{}) {
			t.Errorf("%q: %v, %+v", header, ok, s)
		}
		if ok && !strings.HasPrefix(strings.ToLower(header[2:]), fmt.Sprintf("-%x-%x-", s.trace, s.id)) {
			t.Errorf("%q is read as %+v", header, s)
		}
	})
}
