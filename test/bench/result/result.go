// Package result has the results of the benchmarks, which test/bench/chart draws.
package result

import (
	"math"
	"slices"
	"time"
)

// Report is the result of one or more benchmarks. A part that is empty was not measured.
type Report struct {
	Scrape []Case  `json:"scrape,omitempty"` // of test/bench/scrape
	Peers  []Peers `json:"peers,omitempty"`  // of test/bench/peers
	Growth []Curve `json:"growth,omitempty"` // of test/bench/growth
	Node   *Node   `json:"node,omitempty"`   // of test/e2e
}

// Case is one algorithm on one container.
type Case struct {
	Algorithm  string        `json:"algorithm"`
	Members    int           `json:"members"`    // processes of the container
	NonMembers int           `json:"nonMembers"` // other processes
	Calls      int           `json:"calls"`      // at the kernel interface, in one sample
	Median     time.Duration `json:"median_ns"`
}

// Peers compares the reference shim with ours.
type Peers struct {
	Others int      `json:"others"` // processes that belong to neither shim
	Rounds int      `json:"rounds"` // shims of each kind
	Rows   []Row    `json:"rows"`
	Hung   []string `json:"hung,omitempty"` // shims that did not answer; they are not in the rows
}

// Row is one quantity of both shims.
type Row struct {
	Name      string  `json:"name"`
	Unit      string  `json:"unit,omitempty"`
	Reference Spread  `json:"reference"`
	Ours      Spread  `json:"ours"`
	Floor     Spread  `json:"floor,omitzero"` // what the machine takes without a shim
	By        Measure `json:"by"`
	Goal      float64 `json:"goal,omitempty"` // for the measure; 0 is none
	More      bool    `json:"more,omitempty"` // more of it is better
}

// Spread has the quartiles of samples.
type Spread struct {
	Low    float64 `json:"low"`
	Median float64 `json:"median"`
	High   float64 `json:"high"`
}

// Quartiles orders samples. There is at least one.
func Quartiles(samples []float64) Spread {
	s := slices.Sorted(slices.Values(samples))
	at := func(part float64) float64 { return s[int(part*float64(len(s)-1)+0.5)] }
	return Spread{at(0.25), at(0.5), at(0.75)}
}

// Curve is how something grows with the number of something else.
type Curve struct {
	Name   string  `json:"name"` // a request, or memory
	With   string  `json:"with"`
	Points []Point `json:"points"`
}

// Point is one size of a curve: the calls and the time of a request, or the bytes of the heap.
type Point struct {
	Size   int           `json:"size"`
	Calls  int           `json:"calls,omitempty"` // at the kernel interface, in one request
	Median time.Duration `json:"median_ns,omitempty"`
	Bytes  int64         `json:"bytes,omitempty"`
}

// Cost is the time, or the bytes.
func (p Point) Cost() float64 { return float64(p.Median) + float64(p.Bytes) }

// Exponent is that of the power of the size with which a quantity grows: 0 for one that does not, 1 for one that grows with it. It
// is the slope of the line through the logarithms, by least squares.
func (c Curve) Exponent(of func(Point) float64) float64 {
	var x, y, xx, xy float64
	for _, p := range c.Points {
		a, b := math.Log(float64(p.Size)), math.Log(of(p))
		x, y, xx, xy = x+a, y+b, xx+a*a, xy+a*b
	}
	n := float64(len(c.Points))
	return (n*xy - x*y) / (n*xx - x*x)
}

// Node compares runtime handlers with many pods each.
type Node struct {
	Pods     int           `json:"pods"`
	Idle     time.Duration `json:"idle_ns"` // how long there were no requests
	Handlers []string      `json:"handlers"`
	Rows     []NodeRow     `json:"rows"`
}

// NodeRow is one quantity of a node.
type NodeRow struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit,omitempty"`
	Goal   float64   `json:"goal,omitempty"` // of the first handler, as a multiple of the last; 0 is none
	Values []float64 `json:"values"`         // of each handler
}

// Ratio is the value of a handler as a multiple of that of the last one, if that is not 0.
func (r NodeRow) Ratio(handler int) (ratio float64, ok bool) {
	last := r.Values[len(r.Values)-1]
	if last == 0 {
		return 0, false
	}
	return r.Values[handler] / last, true
}

// Measure says how a row is compared.
type Measure string

// The measures.
const (
	Ratio     Measure = "silo / reference"
	OverFloor Measure = "the same, both without the floor"
	OfFloor   Measure = "silo / floor"
)

// Value is the measure of the medians. A quantity of the reference at its floor has no measure over it: infinity, or not a
// number.
func (r Row) Value() float64 {
	switch r.By {
	case OfFloor:
		return r.Ours.Median / r.Floor.Median
	case OverFloor:
		return (r.Ours.Median - r.Floor.Median) / (r.Reference.Median - r.Floor.Median)
	}
	return r.Ours.Median / r.Reference.Median
}
