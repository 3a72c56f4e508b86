package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// The size of a plot in the units of its paths. The page stretches it; lines keep their width.
const (
	plotWidth, plotHeight   = 600, 160
	sparkWidth, sparkHeight = 120, 28
)

// curve is one value over time, NaN where it is unknown.
type curve struct {
	name, class string
	values      []float64
}

// beyond is how far an outline is led out of the view, so that its sides and its bottom are not seen.
const beyond = 10

// chart is a plot of some curves over one time axis.
type chart struct {
	title  string
	at     []time.Time // of each value
	end    time.Time   // the right edge; the left edge is [Window] before
	curves []curve
	limit  float64     // drawn as a line; NaN for none
	marks  []time.Time // of exits and restarts
	floor  float64     // the least top of the scale, so that noise stays small
	top    func(float64) float64
	text   func(float64) string
}

// scale is the value at the top of the plot.
func (c *chart) scale() float64 {
	most := c.floor
	for _, v := range []float64{c.peak(), 1.1 * c.limit} { // the line of the limit is not the edge
		if v > most { // false for NaN
			most = v
		}
	}
	return c.top(most)
}

// peak is the largest value, NaN if none is known.
func (c *chart) peak() float64 {
	most := math.NaN()
	for _, k := range c.curves {
		for i, v := range k.values {
			if c.x(i, plotWidth) >= 0 && !math.IsNaN(v) && !(v <= most) {
				most = v
			}
		}
	}
	return most
}

// x is where a value is on a time axis of this width.
func (c *chart) x(i, width int) int { return c.xAt(c.at[i], width) }

func (c *chart) xAt(at time.Time, width int) int {
	return width - int(math.Round(float64(c.end.Sub(at))/float64(Window)*float64(width)))
}

// path draws a curve as closed areas, one for each run of known values. The bottom is outside of the view, and so are the
// sides of a run that fills it. So the outline is the curve. Coordinates are relative to keep it short.
func (c *chart) path(k curve, top float64, width, height int) string {
	var b strings.Builder
	var run [][2]int
	flush := func() {
		if len(run) > 0 {
			if run[0][0] <= 1 {
				run[0][0] = -beyond
			}
			if last := len(run) - 1; run[last][0] >= width-1 {
				run[last][0] = width + beyond
			}
			writeArea(&b, run, height+beyond)
		}
		run = run[:0]
	}
	for i, v := range k.values {
		x := c.x(i, width)
		switch {
		case x < -width/10: // it has left the view
		case math.IsNaN(v):
			flush()
		default:
			y := height - int(math.Round(min(1, v/top)*float64(height-1)))
			if n := len(run); n > 0 && run[n-1][0] == x {
				if y < run[n-1][1] { // a peak stays visible
					run = append(run, [2]int{x, y})
				}
				continue
			}
			if n := len(run); n > 1 && run[n-1][1] == y && run[n-2][1] == y {
				run[n-1][0] = x
				continue
			}
			run = append(run, [2]int{x, y})
		}
	}
	flush()
	return b.String()
}

// writeArea writes the path of the area between a run of places and a bottom.
func writeArea(b *strings.Builder, run [][2]int, bottom int) {
	fmt.Fprintf(b, "M%d %dV%d", run[0][0], bottom, run[0][1])
	for i := 1; i < len(run); i++ {
		dx, dy := run[i][0]-run[i-1][0], run[i][1]-run[i-1][1]
		if dy == 0 {
			fmt.Fprintf(b, "h%d", dx)
			continue
		}
		fmt.Fprintf(b, "l%d", dx)
		if dy > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(dy))
	}
	fmt.Fprintf(b, "V%dz", bottom)
}

// svg draws the plot. The label describes it to those who cannot see it.
func (c *chart) svg(width, height int, grid bool) template.HTML {
	var b strings.Builder
	top := c.scale()
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" preserveAspectRatio="none" role="img" aria-label="%s">`, width, height, template.HTMLEscapeString(c.label()))
	if grid {
		fmt.Fprintf(&b, `<path class="grid" d="M0 %dH%dM0 %dH%d"/>`, 1, width, height/2, width)
	}
	for _, at := range c.marks {
		if x := c.xAt(at, width); x >= 0 && x <= width {
			fmt.Fprintf(&b, `<path class="mark" d="M%d 0V%d"/>`, x, height)
		}
	}
	for _, k := range c.curves {
		if d := c.path(k, top, width, height); d != "" {
			fmt.Fprintf(&b, `<path class="%s" d="%s"/>`, k.class, d)
		}
	}
	if c.limit > 0 {
		fmt.Fprintf(&b, `<path class="limit" d="M0 %dH%d"/>`, height-int(math.Round(c.limit/top*float64(height-1))), width)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) // numbers, and a label that is escaped
}

// label says in words what the plot shows.
func (c *chart) label() string {
	now := make([]string, 0, len(c.curves))
	for _, k := range c.curves {
		v := math.NaN()
		if n := len(k.values); n > 0 {
			v = k.values[n-1]
		}
		now = append(now, strings.TrimSpace(k.name+" "+c.words(v)))
	}
	text := c.title + ": now " + strings.Join(now, ", ") + ", at most " + c.words(c.peak())
	if c.limit > 0 {
		text += ", limit " + c.text(c.limit)
	}
	return text
}

func (c *chart) words(v float64) string {
	if math.IsNaN(v) {
		return "unknown"
	}
	return c.text(v)
}

// roundTop returns the next larger number that has one digit, and an even one where it is above 4.
func roundTop(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 3, 4, 6, 8} {
		if v <= n*unit*1.0001 {
			return n * unit
		}
	}
	return 10 * unit
}

// binaryTop returns the next larger amount of 1 or 1.5 times a power of two.
func binaryTop(v float64) float64 {
	unit := math.Exp2(math.Floor(math.Log2(v)))
	for _, n := range []float64{1, 1.5} {
		if v <= n*unit {
			return n * unit
		}
	}
	return 2 * unit
}
