package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/siloshim/siloshim/test/bench/result"
)

// growth is a curve in the table.
type growth struct {
	Name, With, Calls, Cost string
	CallExponent            string
	Exponent                string
}

// sizes are those of the curves.
func sizes(curves []result.Curve) []result.Point {
	if len(curves) == 0 {
		return nil
	}
	return curves[0].Points
}

// growths writes the curves as rows.
func growths(curves []result.Curve) (rows []growth) {
	for _, c := range curves {
		row := growth{Name: c.Name, With: c.With, Exponent: exponent(c, result.Point.Cost)}
		var calls, cost []string
		for _, p := range c.Points {
			calls = append(calls, fmt.Sprint(p.Calls))
			if p.Bytes > 0 {
				cost = append(cost, fmt.Sprintf("%.1f MB", float64(p.Bytes)/1e6))
			} else {
				cost = append(cost, fmt.Sprintf("%.1f ×", p.Cost()/c.Points[0].Cost()))
			}
		}
		if c.Points[0].Calls > 0 {
			row.Calls = strings.Join(calls, ", ")
			row.CallExponent = exponent(c, func(p result.Point) float64 { return float64(p.Calls) })
		}
		row.Cost = strings.Join(cost, ", ")
		rows = append(rows, row)
	}
	return rows
}

func exponent(c result.Curve, of func(result.Point) float64) string {
	return fmt.Sprintf("%.2f", math.Round(c.Exponent(of)*100)/100+0) // not "-0.00"
}

// Dimensions of a plot in pixels.
const (
	plotWidth, plotHeight = 180, 110
	plotLeft, plotTop     = 34, 44
	plotGap               = 46
	plotsInRow            = 4
)

// plots draws a plot for each curve, on logarithmic scales: the cost as a multiple of that of the first size. The grey line is what
// grows with the size.
func plots(curves []result.Curve) []byte {
	var body bytes.Buffer
	for i, c := range curves {
		plot(&body, (i%plotsInRow)*(plotWidth+plotGap)+plotLeft, (i/plotsInRow)*(plotHeight+plotTop+plotGap)+plotTop, c)
	}
	rows := (len(curves) + plotsInRow - 1) / plotsInRow
	width, height := plotsInRow*(plotWidth+plotGap)+plotLeft, rows*(plotHeight+plotTop+plotGap)
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="white"/>`+"\n%s</svg>\n", width, height, body.String())
	return out.Bytes()
}

// plot draws one curve with its upper left corner at x, y.
func plot(out *bytes.Buffer, x, y int, c result.Curve) {
	first, last := c.Points[0], c.Points[len(c.Points)-1]
	decades := math.Log10(float64(last.Size) / float64(first.Size))
	at := func(size int, cost float64) string {
		across := math.Log10(float64(size)/float64(first.Size)) / decades * plotWidth
		up := max(0, math.Log10(cost)) / decades * plotHeight
		return fmt.Sprintf("%.0f,%.0f", float64(x)+across, float64(y+plotHeight)-up)
	}
	var line []string
	for _, p := range c.Points {
		line = append(line, at(p.Size, p.Cost()/first.Cost()))
	}
	fmt.Fprintf(out, `<text x="%d" y="%d" font-weight="bold">%s</text>`, x, y-22, html.EscapeString(c.Name))
	fmt.Fprintf(out, `<text x="%d" y="%d">%s: n to the %s</text>`+"\n", x, y-8, html.EscapeString(c.With), exponent(c, result.Point.Cost))
	fmt.Fprintf(out, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#d0d5db"/>`, x, y, plotWidth, plotHeight)
	fmt.Fprintf(out, `<polyline points="%s %s" fill="none" stroke="#c4c9d0"/>`, at(first.Size, 1), at(last.Size, float64(last.Size)/float64(first.Size)))
	fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="#1f6fb2" stroke-width="2"/>`+"\n", strings.Join(line, " "))
	for _, p := range []result.Point{first, last} {
		fmt.Fprintf(out, `<text x="%s" y="%d" text-anchor="middle">%d</text>`, strings.Split(at(p.Size, 1), ",")[0], y+plotHeight+14, p.Size)
	}
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="end">1 ×</text><text x="%d" y="%d" text-anchor="end">%.0f ×</text>`+"\n",
		x-4, y+plotHeight, x-4, y+8, float64(last.Size)/float64(first.Size))
}
