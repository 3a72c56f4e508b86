package dashboard

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), -update writes it:\n%s", name, diff)
	}
}

// wave is a chart of 20 values, 15 s apart, the latest at the right edge.
func wave(limit float64, missing ...int) *chart {
	c := &chart{title: "Processor", end: epoch, limit: limit, floor: 0.1, top: roundTop, text: coresText}
	values := make([]float64, 20)
	for i := range values {
		values[i] = 1 + math.Sin(float64(i)/3)
		c.at = append(c.at, epoch.Add(time.Duration(i-19)*15*time.Second))
	}
	for _, i := range missing {
		values[i] = math.NaN()
	}
	c.curves = []curve{{class: "a", values: values}}
	return c
}

func TestPlot_Curves_AreAsTheGolden(t *testing.T) {
	limited := wave(1.5)
	limited.marks = []time.Time{epoch.Add(-time.Minute), epoch.Add(-time.Hour)}
	two := wave(math.NaN())
	two.title, two.text, two.top, two.floor = "I/O", rateText, binaryTop, 1<<10
	two.curves = []curve{{"read", "a", two.curves[0].values}, {"write", "b", make([]float64, 20)}}
	none := wave(math.NaN())
	none.at, none.curves[0].values = nil, nil
	var all strings.Builder
	for _, c := range []struct {
		name  string
		chart *chart
		large bool
	}{
		{"a limit, an exit, and one that has left the plot", limited, true}, {"two curves", two, true},
		{"values that are missing", wave(math.NaN(), 0, 7, 8, 19), true}, {"no values", none, true}, {"small", wave(1.5), false},
	} {
		svg := c.chart.svg(plotWidth, plotHeight, true)
		if !c.large {
			svg = spark(c.chart)
		}
		all.WriteString("<!-- " + c.name + " -->\n" + string(svg) + "\n")
	}
	golden(t, "plots.svg", all.String())
	d := xml.NewDecoder(strings.NewReader(all.String()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plots are not well-formed: %v", err)
		}
	}
}

func TestPlot_ValueAndLimit_AreOnOneScale(t *testing.T) {
	c := wave(1)
	for i := range c.curves[0].values {
		c.curves[0].values[i] = 1
	}
	svg := string(c.svg(plotWidth, plotHeight, false))
	y := "80" // of 1 where the top is 2
	if c.scale() != 2 || !strings.Contains(svg, "V"+y+"h") || !strings.Contains(svg, `class="limit" d="M0 `+y+"H600") {
		t.Errorf("scale %v: %s", c.scale(), svg)
	}
}

func TestPlot_IdleContainer_PathIsShortAndStays(t *testing.T) {
	at := func(shift time.Duration) string {
		c := chart{end: epoch, limit: math.NaN(), floor: 0.1, top: roundTop, text: coresText, curves: []curve{{class: "a"}}}
		for i := range pointsKept + 1 {
			c.at = append(c.at, epoch.Add(-Window+time.Duration(i)*Interval-shift))
			c.curves[0].values = append(c.curves[0].values, 0)
		}
		return string(spark(&c))
	}
	if a, b := at(0), at(3*time.Millisecond); a != b || len(a) > 200 {
		t.Errorf("%d bytes; a little later %d:\n%s\n%s", len(a), len(b), a, b)
	}
}

func TestPlot_PeakAfterAConstant_HasNoSlope(t *testing.T) {
	c := chart{end: epoch, limit: math.NaN(), floor: 0.1, top: roundTop, text: coresText, curves: []curve{{class: "a"}}}
	for i := range pointsKept {
		c.at = append(c.at, epoch.Add(-Window+time.Duration(i)*Interval))
		c.curves[0].values = append(c.curves[0].values, 0)
	}
	c.curves[0].values[83] = 1 // two values share a place of a small plot; this is the second of its place
	if d := c.path(c.curves[0], 1, sparkWidth, sparkHeight); strings.Contains(d, "l6") || strings.Count(d, "h") != 2 {
		t.Errorf("the constant is not drawn flat: %s", d)
	}
}

func TestTop_Values_AreRound(t *testing.T) {
	for v, want := range map[float64]float64{0.1: 0.1, 0.11: 0.2, 1: 1, 2.2: 3, 3.3: 4, 5: 6, 17.6: 20, 99: 100} {
		if got := roundTop(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("roundTop(%v) = %v, want %v", v, got, want)
		}
	}
	for v, want := range map[float64]float64{1 << 20: 1 << 20, 1<<20 + 1: 3 << 19, 800 << 20: 1 << 30, 1100 << 20: 3 << 29} {
		if got := binaryTop(v); got != want {
			t.Errorf("binaryTop(%v) = %v, want %v", v, got, want)
		}
	}
}
