package main

import (
	"io"
	"testing"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/test/bench/result"
)

// The calls of a request grow with the members that it asks, once for each, and with nothing else. Memory grows no faster than
// what there is.
func TestMeasure_Calls_GrowWithMembersAlone(t *testing.T) {
	log.L.Logger.SetOutput(io.Discard)
	curves, err := measure(t.Context(), []int{10, 30, 100}, 10)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{"stats": 1, "pids": 2} // calls of each member
	for _, c := range curves {
		t.Logf("%-18s %-28s %+v", c.Name, c.With, c.Points)
		first, last := c.Points[0], c.Points[len(c.Points)-1]
		switch more := last.Calls - first.Calls; {
		case c.Name == "memory":
			if e := c.Exponent(result.Point.Cost); e > 1.2 {
				t.Errorf("the memory grows with the %s by the exponent %.2f", c.With, e)
			}
		case asked[c.Name] > 0 && c.With != "containers of the shim":
			if want := asked[c.Name] * (last.Size - first.Size); more > want {
				t.Errorf("%s makes %d more calls for %d more %s, want %d", c.Name, more, last.Size-first.Size, c.With, want)
			}
		case more > 1: // the mean of calls, some of which come later
			t.Errorf("%s makes %d calls with %d %s, %d with %d", c.Name, first.Calls, first.Size, c.With, last.Calls, last.Size)
		}
	}
}
