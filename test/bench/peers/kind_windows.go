package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/bench/result"
	"github.com/siloshim/siloshim/test/workload"
)

// kind is one of the two shims, or the floor, with its measurements.
type kind struct {
	name string
	exe  string
	spec func(args ...string) *specs.Spec
	rows []row
	hung []error // the steps at which a shim did not answer
}

// row is a row of the table: the samples of one quantity.
type row struct {
	name    string
	unit    string
	samples []float64
}

// goal is what a row has to reach.
type goal struct {
	by result.Measure
	at float64
}

// goals are those of each row. A row with 0 has none.
var goals = map[string]goal{
	"start and first answer": {result.OfFloor, 1.15},
	"create":                 {result.Ratio, 0.5},
	"start":                  {result.Ratio, 0.7},
	"exec":                   {result.OverFloor, 0.5},
	"members":                {result.OfFloor, 1.25},
	"state":                  {result.Ratio, 0.7},
	"pids":                   {result.Ratio, 1},
	"stats":                  {result.Ratio, 0.4},
	"memory":                 {result.OverFloor, 0.45},
	"executable":             {result.Ratio, 0.45},
	"kill and wait":          {result.Ratio, 1},
	"delete":                 {result.Ratio, 0.8},
	"shutdown":               {result.Ratio, 0.8},
	"delete command":         {result.Ratio, 0.8},
	"stdio":                  {result.OfFloor, 0.9},
}

// add records a sample of the named row; rows keep the order of their first samples.
func (k *kind) add(name, unit string, value float64) {
	i := slices.IndexFunc(k.rows, func(f row) bool { return f.name == name })
	if i < 0 {
		i = len(k.rows)
		k.rows = append(k.rows, row{name: name, unit: unit})
	}
	k.rows[i].samples = append(k.rows[i].samples, value)
}

// row finds the samples of a quantity.
func (k *kind) row(name string) (row, bool) {
	i := slices.IndexFunc(k.rows, func(f row) bool { return f.name == name })
	if i < 0 {
		return row{}, false
	}
	return k.rows[i], true
}

// time records how long since began.
func (k *kind) time(name string, began time.Time) {
	k.add(name, "ms", float64(time.Since(began))/float64(time.Millisecond))
}

// layered makes specifications for the reference shim, which needs layers and a user.
func layered(dir string) func(args ...string) *specs.Spec {
	return func(args ...string) *specs.Spec {
		s := workload.Spec(args...)
		s.Process.User.Username = `NT AUTHORITY\SYSTEM`
		for _, layer := range []string{"base", "scratch"} {
			path := filepath.Join(dir, layer)
			_ = os.MkdirAll(path, 0o755) // the shim reports a missing directory
			s.Windows.LayerFolders = append(s.Windows.LayerFolders, path)
		}
		return s
	}
}
