package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"

	"github.com/siloshim/siloshim/test/bench/result"
)

//go:embed page.tmpl
var pageText string

// row is one container in the table: each algorithm's calls, and its time as a multiple of ours.
type row struct {
	Members, NonMembers int
	Cells               []string
}

// page writes the page.
func page(r result.Report) []byte {
	var out bytes.Buffer
	data := struct {
		Algorithms []string
		Rows       []row
		Peers      []result.Peers
		Sizes      []result.Point
		Growth     []growth
		Node       *result.Node
	}{algorithms(r.Scrape), rows(r.Scrape), r.Peers, sizes(r.Growth), growths(r.Growth), r.Node}
	functions := template.FuncMap{"spread": spread, "measure": measure, "goal": goal, "number": number, "multiple": multiple}
	t := template.Must(template.New("page").Funcs(functions).Parse(pageText)) // the template is constant
	if err := t.Execute(&out, data); err != nil {
		panic(err) // the data has all fields of the template
	}
	return out.Bytes()
}

// algorithms lists them in the order of the result.
func algorithms(cases []result.Case) (names []string) {
	for _, c := range cases {
		if c.Members != cases[0].Members || c.NonMembers != cases[0].NonMembers {
			break
		}
		names = append(names, c.Algorithm)
	}
	return names
}

// rows groups the cases by container.
func rows(cases []result.Case) (rows []row) {
	n := len(algorithms(cases))
	for ; len(cases) >= n; cases = cases[n:] {
		r := row{Members: cases[0].Members, NonMembers: cases[0].NonMembers}
		ours := warm(cases[:n])
		for _, c := range cases[:n] {
			r.Cells = append(r.Cells, fmt.Sprintf("%d calls, %.2f ×", c.Calls, float64(c.Median)/float64(ours.Median)))
		}
		rows = append(rows, r)
	}
	return rows
}

// ours is the algorithm that the others are compared with.
const ours = "ours, warm"

func warm(cases []result.Case) result.Case {
	for _, c := range cases {
		if c.Algorithm == ours {
			return c
		}
	}
	return cases[0]
}

// spread writes a median with its quartiles.
func spread(s result.Spread, unit string) string {
	switch {
	case s.Median == 0:
		return ""
	case s.Low == s.High:
		return fmt.Sprintf("%.1f %s", s.Median, unit)
	}
	return fmt.Sprintf("%.1f %s (%.1f to %.1f)", s.Median, unit, s.Low, s.High)
}

// measure writes the measure of a row. Over a floor that the reference nearly reaches, it would be noise.
func measure(r result.Row) string {
	if r.By != result.Ratio && r.Floor.Median == 0 {
		return "the floor was not measured"
	}
	over := r.Reference.Median - r.Floor.Median
	if noise := r.Reference.High - r.Reference.Low; r.By == result.OverFloor && over < noise {
		return "the reference is at the floor"
	}
	return fmt.Sprintf("%.2f", r.Value())
}

// goal writes the goal of a row.
func goal(r result.Row) string {
	switch {
	case r.Goal == 0:
		return ""
	case r.More:
		return fmt.Sprintf("at least %.2f", r.Goal)
	}
	return fmt.Sprintf("at most %.2f", r.Goal)
}
