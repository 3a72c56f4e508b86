package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// print writes the table: medians, their ratio, and the goal where there is one.
func print(w io.Writer, reference, ours *kind) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\treference\tsilo\tratio\tgoal\t")
	for _, f := range ours.figures {
		r, ok := reference.figure(f.name)
		if !ok {
			continue
		}
		ratio := f.median() / r.median()
		goal := ""
		switch {
		case f.goal == 0:
		case f.more:
			goal = fmt.Sprintf("at least %.1f", f.goal)
		default:
			goal = fmt.Sprintf("at most %.1f", f.goal)
		}
		fmt.Fprintf(t, "%s\t%.1f %s\t%.1f %s\t%.2f\t%s\t\n", f.name, r.median(), f.unit, f.median(), f.unit, ratio, goal)
	}
	_ = t.Flush() // standard output
	for _, k := range []*kind{reference, ours} {
		for _, err := range k.hung {
			fmt.Fprintf(w, "%s hung, and what it was to tell after that is left out: %v\n", k.name, err)
		}
	}
}
