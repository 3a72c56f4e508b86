package main

import (
	"bytes"
	"fmt"
	"html"

	"github.com/siloshim/siloshim/test/bench/result"
)

// Dimensions in pixels.
const (
	left     = 170 // start of the bars
	barSize  = 14
	barGap   = 3
	groupGap = 26
	scale    = 150 // length of the bar of our algorithm
	widest   = 620 // longer bars are cut; the number beside the bar is exact
)

// colours of the algorithms, in their order.
var colours = []string{"#8a8f98", "#c98a3b", "#5aa0d8", "#1f6fb2", "#b9c4cf"}

// picture draws a group of bars for each container: the time of a sample as a multiple of ours.
func picture(cases []result.Case) []byte {
	var body bytes.Buffer
	n, y := len(algorithms(cases)), 20
	for rest := cases; len(rest) >= n; rest = rest[n:] {
		c := rest[0]
		fmt.Fprintf(&body, `<text x="8" y="%d" font-weight="bold">%d programs, %d other processes</text>`+"\n", y+11, c.Members, c.NonMembers)
		y += groupGap - 8
		base := warm(rest[:n])
		for i, c := range rest[:n] {
			ratio := float64(c.Median) / float64(base.Median)
			bar(&body, y, colours[i%len(colours)], c.Algorithm, ratio, fmt.Sprintf("%.2f ×, %d calls", ratio, c.Calls))
			y += barSize + barGap
		}
		y += groupGap - 12
	}
	return document(y, body.Bytes())
}

// document is the picture of this height.
func document(height int, body []byte) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="860" height="%d" font-family="sans-serif" font-size="12">`+"\n", height)
	fmt.Fprintf(&out, `<rect width="860" height="%d" fill="white"/>`+"\n%s</svg>\n", height, body)
	return out.Bytes()
}

// bar draws a bar with a name before it and a text behind it.
func bar(out *bytes.Buffer, y int, colour, name string, ratio float64, text string) {
	length := min(int(ratio*scale), widest)
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="end">%s</text>`, left-8, y+11, html.EscapeString(name))
	fmt.Fprintf(out, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`, left, y, length, barSize, colour)
	fmt.Fprintf(out, `<text x="%d" y="%d">%s</text>`+"\n", left+length+6, y+11, html.EscapeString(text))
}
