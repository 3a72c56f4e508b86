package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/workload"
)

// kind is one of the two shims, with what was measured of it.
type kind struct {
	name    string
	exe     string
	spec    func(args ...string) *specs.Spec
	figures []figure
	hung    []error // at which step a shim did not answer
}

// figure is a row of the table: the samples of one quantity.
type figure struct {
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

// add records a sample of the named figure; figures keep the order of their first samples.
func (k *kind) add(name, unit string, value float64) {
	i := slices.IndexFunc(k.figures, func(f figure) bool { return f.name == name })
	if i < 0 {
		i = len(k.figures)
		k.figures = append(k.figures, figure{name: name, unit: unit, more: unit == "MB/s", goal: goals[name]})
	}
	k.figures[i].samples = append(k.figures[i].samples, value)
}

// figure finds the samples of a quantity.
func (k *kind) figure(name string) (figure, bool) {
	i := slices.IndexFunc(k.figures, func(f figure) bool { return f.name == name })
	if i < 0 {
		return figure{}, false
	}
	return k.figures[i], true
}

// time records how long since began.
func (k *kind) time(name string, began time.Time) {
	k.add(name, "ms", float64(time.Since(began))/float64(time.Millisecond))
}

// median is the middle sample.
func (f figure) median() float64 {
	s := slices.Sorted(slices.Values(f.samples))
	return s[len(s)/2]
}

// layered makes specifications as the reference wants them: with layers and a user.
func layered(dir string) func(args ...string) *specs.Spec {
	return func(args ...string) *specs.Spec {
		s := workload.Spec(args...)
		s.Process.User.Username = `NT AUTHORITY\SYSTEM`
		for _, layer := range []string{"base", "scratch"} {
			path := filepath.Join(dir, layer)
			_ = os.MkdirAll(path, 0o755) // the shim tells what it misses
			s.Windows.LayerFolders = append(s.Windows.LayerFolders, path)
		}
		return s
	}
}
