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
		Peers      *result.Peers
	}{algorithms(r.Scrape), rows(r.Scrape), r.Peers}
	t := template.Must(template.New("page").Parse(pageText)) // the template is constant
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
