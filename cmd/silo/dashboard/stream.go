package dashboard

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	// maxStreams bounds the pages that are open at a time.
	maxStreams = 16
	// writeTimeout bounds one update. A client that does not take it in that time is disconnected.
	writeTimeout = 10 * time.Second
	// aliveInterval is the longest time without a write, by which a client that has left is noticed.
	aliveInterval = 15 * time.Second
)

// patch is an update of a page.
type patch struct {
	HTML map[string]template.HTML `json:"html,omitempty"` // fragments by their ids
	Rows []string                 `json:"rows,omitempty"` // all rows in their order, if it has changed
}

// sent is what a client has: its fragments by their hashes.
type sent struct {
	seed  maphash.Seed
	parts map[string]uint64
	rows  []string
}

// diff returns what has changed in v, and notes it as sent.
func (s *sent) diff(v *view) patch {
	p := patch{HTML: map[string]template.HTML{}}
	now := make(map[string]uint64, len(v.Parts)+len(v.Rows))
	take := func(id string, html template.HTML) {
		sum := maphash.String(s.seed, string(html))
		if was, ok := s.parts[id]; !ok || was != sum {
			p.HTML[id] = html
		}
		now[id] = sum
	}
	for id, html := range v.Parts {
		take(id, html)
	}
	rows := make([]string, len(v.Rows))
	for i, r := range v.Rows {
		rows[i] = r.ID
		take(r.ID, r.HTML)
	}
	if !slices.Equal(rows, s.rows) {
		p.Rows = rows
		if len(rows) == 0 {
			p.Rows = []string{""} // empty is left out of the message
		}
	}
	s.parts, s.rows = now, rows
	return p
}

// serveStream sends the changes of a page as server-sent events, until the client leaves or the server ends. A slow
// client gets fewer updates: each is made from the latest look when the one before has been written.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (d *Dashboard) serveStream(w http.ResponseWriter, r *http.Request) {
	select {
	case d.streams <- struct{}{}:
		defer func() { <-d.streams }()
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, fmt.Sprintf("%d pages are open, which is the limit; close one", maxStreams), http.StatusServiceUnavailable)
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	query := r.URL.Query()
	look := func() (*view, error) { return d.machine(query.Get("order")) }
	if id := query.Get("id"); id != "" {
		look = func() (*view, error) { return d.container(r.Context(), query.Get("namespace"), id) }
	}
	defer d.watch()()
	s := &sent{seed: maphash.MakeSeed(), parts: map[string]uint64{}}
	changed := d.next()
	v, err := look()
	if err != nil || v == nil {
		http.Error(w, "no such container", http.StatusNotFound)
		return
	}
	if query.Get("seq") == strconv.FormatUint(v.Seq, 10) {
		s.diff(v) // the client has this one
	}
	o := newEventWriter(w, r)
	defer o.close()
	// The first write says that the stream is open. Browsers wait so long before they connect again.
	err = o.write("retry: 2000\n\n")
	for err == nil {
		if p := s.diff(v); len(p.HTML) > 0 || p.Rows != nil {
			err = o.message("patch", p)
		}
		alive := time.NewTimer(aliveInterval)
		for waiting := true; waiting && err == nil; {
			select {
			case <-r.Context().Done():
				err = r.Context().Err()
			case <-changed:
				waiting = false
			case <-d.ended:
				return
			case <-alive.C:
				err = o.write(": alive\n\n")
				alive.Reset(aliveInterval)
			}
		}
		alive.Stop()
		if err != nil {
			return
		}
		changed = d.next()
		if v, err = look(); err == nil && v == nil {
			_ = o.message("gone", struct{}{}) // the stream ends either way
			return
		}
	}
}

// eventWriter writes server-sent events, compressed if the client can read that.
type eventWriter struct {
	control *http.ResponseController
	to      io.Writer
	z       *gzip.Writer
}

func newEventWriter(w http.ResponseWriter, r *http.Request) *eventWriter {
	o := &eventWriter{control: http.NewResponseController(w), to: w}
	_ = o.control.SetReadDeadline(time.Time{}) // the server's is for a request; without support there is none
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		o.z, _ = gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid
		o.to = o.z
	}
	return o
}

// write writes and flushes a text within the timeout.
func (o *eventWriter) write(text string) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(o.to, text); err != nil {
		return err
	}
	if o.z != nil {
		if err := o.z.Flush(); err != nil {
			return err
		}
	}
	return o.control.Flush()
}

// close ends the compressed text. After a failed write it fails at once.
func (o *eventWriter) close() {
	if o.z != nil {
		_ = o.z.Close() // the client has left
	}
}

func (o *eventWriter) message(kind string, data any) error {
	text, err := json.Marshal(data) // it has no line breaks
	if err != nil {
		return err
	}
	return o.write("event: " + kind + "\ndata: " + string(text) + "\n\n")
}
