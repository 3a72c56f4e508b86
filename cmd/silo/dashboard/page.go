package dashboard

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

//go:embed assets
var assets embed.FS

// templates are parsed for the first page, which most verbs of silo never make.
var templates = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(assets, "assets/*.html")) })

// fragment is a part of a page that is replaced by its id.
type fragment struct {
	ID   string
	HTML template.HTML
}

// view is a page: its fragments, and for the page of the machine its rows.
type view struct {
	Seq    uint64
	Parts  map[string]template.HTML
	Rows   []fragment
	Stream string // the address of its updates

	// Of the frame around the fragments, which does not change.
	Title, Subtitle, Version string
	Order                    string
	Orders                   []orderView
	Previous, Next           string // addresses of the containers beside this one
	Detail                   bool
}

type orderView struct {
	Key, Title string
	On         bool
}

// orders are the orders of the containers, and the columns of the page.
var orders = []struct {
	key, title string
	less       func(a, b *history) int
}{
	{"name", "Container", func(a, b *history) int {
		return cmp.Or(cmp.Compare(a.label(), b.label()), cmp.Compare(a.Name(), b.Name()))
	}},
	{"cpu", "Processor", func(a, b *history) int { return cmp.Compare(b.now.cores, a.now.cores) }},
	{"private", "Private working set", func(a, b *history) int { return cmp.Compare(b.now.private, a.now.private) }},
	{"commit", "Commit", func(a, b *history) int { return cmp.Compare(b.now.commit, a.now.commit) }},
	{"io", "I/O", func(a, b *history) int { return cmp.Compare(b.now.io(), a.now.io()) }},
}

// row is a container on the page of the machine.
type row struct {
	ID, Label, Note, Full, Address string
	Status                         status
	Processes                      string
	Cells                          []cell
}

type cell struct {
	Kind, Value, Limit string
	SVG                template.HTML
}

// status is the state of a container in words.
type status struct {
	Text string
	Why  string // the reason of an exit
	Bad  bool
	Over bool // it has ended
}

func (h *history) status(now time.Time) status {
	switch {
	case h.Exit != nil:
		return status{codeText(h.Exit) + ", " + spanText(now.Sub(h.Exit.At)) + " ago", exitText(h.Exit), h.Exit.Code != 0, true}
	case !h.gone.IsZero():
		return status{"gone " + spanText(now.Sub(h.gone)) + " ago", "its exit code is not recorded", false, true}
	case h.Err != nil:
		return status{"cannot be sampled", printable(h.Err.Error()), true, false}
	}
	text, bad := "running", false
	if h.Status != "" && h.Status != "running" {
		text, bad = printable(h.Status), h.Status == "restarting"
	} else if !h.Sample.Started.IsZero() {
		text = "running " + spanText(h.Sample.Uptime)
	}
	if h.Restarts > 0 {
		text += ", " + plural(h.Restarts, "restart", "restarts")
	}
	return status{text, "", bad, false}
}

func (h *history) newRow(now time.Time, processors int) row {
	r := row{
		ID: h.row, Label: h.label(), Note: printable(h.Namespace + " · " + h.Kind), Full: printable(h.Name()),
		Address: address(h), Status: h.status(now), Processes: unknown,
	}
	if h.Pod != "" {
		r.Note = shortID(printable(h.ID)) + " · " + r.Note
	}
	if h.PodContainer != "" {
		r.Note = printable(h.PodContainer) + " · " + r.Note
	}
	if !r.Status.Over && h.Err == nil {
		r.Processes = strconv.Itoa(int(h.Sample.Processes.Active))
	}
	l := h.limits(processors)
	list := charts(&h.points, now, l, restarts(h))
	for i, value := range [plotKinds]string{coresText(h.now.cores), bytesText(h.now.private), bytesText(h.now.commit), rateText(h.now.io())} {
		c := cell{Kind: plotIDs[i], Value: value, SVG: spark(&list[i])}
		if list[i].limit > 0 {
			c.Limit = list[i].text(list[i].limit)
		}
		r.Cells = append(r.Cells, c)
	}
	return r
}

// label is the name of a container for people: that of its pod, if known.
func (h *history) label() string {
	if h.Pod != "" {
		return printable(h.Pod)
	}
	return shortID(printable(h.ID))
}

func address(h *history) string {
	return "/container/" + url.PathEscape(h.Namespace) + "/" + url.PathEscape(h.ID)
}

// machine is the view of all containers in an order. The views of one look are shared by the pages that show them.
func (d *Dashboard) machine(order string) (*view, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := slices.IndexFunc(orders, func(o struct {
		key, title string
		less       func(a, b *history) int
	}) bool {
		return o.key == order
	})
	at = max(0, at)
	if v := d.shared[orders[at].key]; v != nil {
		return v, nil
	}
	v := &view{Seq: d.seq, Parts: map[string]template.HTML{}, Title: d.options.Host, Version: d.options.Version, Order: orders[at].key}
	v.Stream = "/stream?" + url.Values{"order": {v.Order}, "seq": {strconv.FormatUint(d.seq, 10)}}.Encode()
	for i, o := range orders {
		v.Orders = append(v.Orders, orderView{o.key, o.title, i == at})
	}
	sorted := slices.Clone(d.order)
	slices.SortStableFunc(sorted, func(a, b *history) int {
		return cmp.Or(cmp.Compare(over(a), over(b)), orders[at].less(a, b))
	})
	p := pageWriter{into: v.Parts}
	running, processes := 0, 0
	for _, h := range sorted {
		html := p.render("row", h.newRow(d.latest.Time, d.latest.Processors))
		v.Rows = append(v.Rows, fragment{h.row, html})
		if over(h) == 0 {
			running++
			processes += int(h.Sample.Processes.Active)
		}
	}
	p.part("state", d.stateLocked())
	p.part("facts", map[string]any{
		"Running": plural(running, "container", "containers"), "Processes": plural(processes, "process", "processes"),
		"Over": len(sorted) - running, "Time": d.latest.Time,
	})
	p.part("empty", map[string]bool{"None": len(sorted) == 0 && d.failure == nil && d.seq > 0, "Waiting": d.seq == 0})
	p.plots(&d.sum, d.latest, limits{float64(d.latest.Processors), nan}, nil)
	p.part("events", d.eventsLocked(&d.events, true))
	d.shared[v.Order] = v
	return v, p.err
}

func over(h *history) int {
	if h.Exit != nil || !h.gone.IsZero() {
		return 1
	}
	return 0
}

// container is the view of one container; nil if it is not known.
func (d *Dashboard) container(ctx context.Context, namespace, id string) (*view, error) {
	d.mu.Lock()
	name := namespace + "/" + id
	_, known := d.tracked[name]
	d.mu.Unlock()
	if !known {
		return nil, nil
	}
	details := d.source.Details(ctx, namespace, id) // it may take long
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.tracked[name]
	if h == nil {
		return nil, nil
	}
	v := &view{Seq: d.seq, Parts: map[string]template.HTML{}, Detail: true, Title: h.label(), Subtitle: d.options.Host, Version: d.options.Version}
	v.Stream = "/stream?" + url.Values{"namespace": {namespace}, "id": {id}, "seq": {strconv.FormatUint(d.seq, 10)}}.Encode()
	if at := slices.Index(d.order, h); at >= 0 {
		if at > 0 {
			v.Previous = address(d.order[at-1])
		}
		if at+1 < len(d.order) {
			v.Next = address(d.order[at+1])
		}
	}
	p := pageWriter{into: v.Parts}
	p.part("state", d.stateLocked())
	p.part("about", h.about(d.latest.Time, &details))
	p.plots(&h.points, d.latest, h.limits(d.latest.Processors), restarts(h))
	p.part("limits", details.view())
	p.part("tree", h.processes())
	p.part("events", d.eventsLocked(&h.events, false))
	p.part("log", logView(&details))
	return v, p.err
}

// pageWriter renders fragments and keeps the first error.
type pageWriter struct {
	into map[string]template.HTML
	err  error
}

func (p *pageWriter) render(name string, data any) template.HTML {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil && p.err == nil {
		p.err = fmt.Errorf("render %s: %w", name, err)
	}
	return template.HTML(b.String()) // html/template has escaped it
}

// part renders the fragment whose id is the template's name.
func (p *pageWriter) part(name string, data any) { p.into[name] = p.render(name, data) }

func (p *pageWriter) plots(points *ring[point], look Look, l limits, marks []time.Time) {
	list := charts(points, look.Time, l, marks)
	for kind := range list {
		p.into[plotIDs[kind]] = p.render("plot", large(kind, &list[kind], look.Processors))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
