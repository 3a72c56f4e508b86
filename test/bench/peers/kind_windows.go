package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/workload"
)

// kind is one of the two shims, with its measurements.
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
	more    bool // more of it is better
	goal    float64
	samples []float64
}

// goals are the ratios to reach, ours to the reference's.
var goals = map[string]float64{
	"start and first answer": 0.6, "create": 0.8, "start": 0.8, "exec": 0.5, "stats": 0.5, "pids": 0.5, "state": 1,
	"stdio": 3, "delete": 0.5, "memory": 0.5,
}

// add records a sample of the named row; rows keep the order of their first samples.
func (k *kind) add(name, unit string, value float64) {
	i := slices.IndexFunc(k.rows, func(f row) bool { return f.name == name })
	if i < 0 {
		i = len(k.rows)
		k.rows = append(k.rows, row{name: name, unit: unit, more: unit == "MB/s", goal: goals[name]})
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

// median is the middle sample.
func (f row) median() float64 {
	s := slices.Sorted(slices.Values(f.samples))
	return s[len(s)/2]
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
