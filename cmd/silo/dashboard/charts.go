package dashboard

import (
	"html/template"
	"math"
	"time"
)

// plotView is a plot with the text around it.
type plotView struct {
	ID, Title    string
	Value, Note  string
	Limit        string // empty without one
	Top, Half    string
	Curves       []curveView // with names, where there are several
	SVG          template.HTML
	Span, Bottom string
}

type curveView struct{ Name, Class, Value string }

// The kinds of plots, in the order of the page.
const (
	plotCores = iota
	plotPrivate
	plotCommit
	plotIO
	plotKinds
)

var plotIDs = [plotKinds]string{"cpu", "private", "commit", "io"}

// charts are the plots of a container or of the machine.
func charts(points *ring[point], end time.Time, l limits, marks []time.Time) (list [plotKinds]chart) {
	var at []time.Time
	var cores, private, commit, read, write []float64
	for p := range points.all() {
		at = append(at, p.at)
		cores, private, commit = append(cores, p.cores), append(private, p.private), append(commit, p.commit)
		read, write = append(read, p.read), append(write, p.write)
	}
	list[plotCores] = chart{title: "Processor", curves: []curve{{class: "a", values: cores}}, limit: l.cores, floor: 0.1, top: roundTop, text: coresText}
	list[plotPrivate] = chart{title: "Private working set", curves: []curve{{class: "a", values: private}}, limit: math.NaN(), floor: 1 << 20, top: binaryTop, text: bytesText}
	list[plotCommit] = chart{title: "Commit", curves: []curve{{class: "a", values: commit}}, limit: l.commit, floor: 1 << 20, top: binaryTop, text: bytesText}
	list[plotIO] = chart{title: "I/O", curves: []curve{{"read", "a", read}, {"write", "b", write}}, limit: math.NaN(), floor: 64 << 10, top: binaryTop, text: rateText}
	for i := range list {
		list[i].at, list[i].end, list[i].marks = at, end, marks
	}
	return list
}

// spark is a small plot. Its I/O is one curve, the sum.
func spark(c *chart) template.HTML {
	small := *c
	if len(c.curves) == 2 {
		sum := make([]float64, len(c.at))
		for i := range sum {
			sum[i] = c.curves[0].values[i] + c.curves[1].values[i]
		}
		small.curves = []curve{{class: "a", values: sum}}
	}
	return small.svg(sparkWidth, sparkHeight, false)
}

// large is a plot with its texts.
func large(kind int, c *chart, processors int) plotView {
	v := plotView{
		ID: plotIDs[kind], Title: c.title, SVG: c.svg(plotWidth, plotHeight, true),
		Top: c.text(c.scale()), Half: c.text(c.scale() / 2), Span: spanText(Window), Bottom: "0",
	}
	last := func(k curve) float64 {
		if len(k.values) == 0 {
			return math.NaN()
		}
		return k.values[len(k.values)-1]
	}
	if len(c.curves) == 1 {
		v.Value = c.text(last(c.curves[0]))
	} else {
		for _, k := range c.curves {
			v.Curves = append(v.Curves, curveView{k.name, k.class, c.text(last(k))})
		}
	}
	if kind == plotCores && processors > 0 {
		v.Note = "of " + plural(processors, "processor", "processors")
	}
	if c.limit > 0 && !(kind == plotCores && c.limit == float64(processors)) { // all processors are in the note
		v.Limit = c.text(c.limit)
	}
	return v
}

// restarts are the times of exits and restarts.
func restarts(h *history) (at []time.Time) {
	for e := range h.events.all() {
		if e.mark {
			at = append(at, e.At)
		}
	}
	return at
}
