package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/siloshim/siloshim/test/bench/result"
)

// number writes the value of a row with its unit.
func number(value float64, unit string) string {
	switch {
	case unit == "":
		return fmt.Sprintf("%.0f", value)
	case value < 10:
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}

// multiple is the first handler's value as a multiple of the last one's, the reference's.
func multiple(r result.NodeRow) string {
	ratio, ok := r.Ratio(0)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.2f", ratio)
}

// nodePicture draws a group of bars for each row: every handler as a multiple of the reference.
func nodePicture(n *result.Node) []byte {
	var body bytes.Buffer
	y := 20
	for _, r := range n.Rows {
		if _, ok := r.Ratio(0); !ok {
			continue
		}
		fmt.Fprintf(&body, `<text x="8" y="%d" font-weight="bold">%s</text>`+"\n", y+11, html.EscapeString(r.Name))
		y += groupGap - 8
		for i, handler := range n.Handlers {
			ratio, _ := r.Ratio(i)
			text := fmt.Sprintf("%.2f ×, %s", ratio, strings.TrimSpace(number(r.Values[i], r.Unit)))
			colour := colours[3]
			if i == len(n.Handlers)-1 {
				colour = colours[0]
			}
			bar(&body, y, colour, handler, ratio, text)
			y += barSize + barGap
		}
		y += groupGap - 12
	}
	return document(y, body.Bytes())
}
