// Package result has the results of the benchmarks, which test/bench/chart draws.
package result

import "time"

// Report is the result of one or more benchmarks. A part that is empty was not measured.
type Report struct {
	Scrape []Case `json:"scrape,omitempty"` // of test/bench/scrape
	Peers  *Peers `json:"peers,omitempty"`  // of test/bench/peers
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
	Rounds int      `json:"rounds"` // shims of each kind
	Rows   []Row    `json:"rows"`
	Hung   []string `json:"hung,omitempty"` // shims that did not answer; they are not in the rows
}

// Row is one quantity of both shims, as medians.
type Row struct {
	Name      string  `json:"name"`
	Unit      string  `json:"unit"`
	Reference float64 `json:"reference"`
	Ours      float64 `json:"ours"`
	Goal      float64 `json:"goal,omitempty"` // for the ratio, ours to the reference's; 0 is none
	More      bool    `json:"more,omitempty"` // more of it is better
}

// Ratio is the ratio of ours to the reference.
func (r Row) Ratio() float64 { return r.Ours / r.Reference }
