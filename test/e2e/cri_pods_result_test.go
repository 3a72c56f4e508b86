package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	bench "github.com/siloshim/siloshim/test/bench/result"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// The steps that are timed.
const (
	startPod       = "start a pod"
	startContainer = "start its container"
	probe          = "exec probe"
	// A kubelet queries both.
	scrapeContainers = "scrape of all containers"
	scrapePods       = "scrape of all pods"
	remove           = "remove a pod"
)

// rowsOf has the medians of the handlers side by side, and the sums over all shims.
func rowsOf(costs []*cost) (rows []bench.NodeRow) {
	row := func(name, unit string, goal float64, value func(*cost) float64) {
		r := bench.NodeRow{Name: name, Unit: unit, Goal: goal}
		for _, c := range costs {
			r.Values = append(r.Values, value(c))
		}
		rows = append(rows, r)
	}
	for _, step := range []string{startPod, startContainer, probe, scrapeContainers, scrapePods, remove} {
		row(step, "ms", 0, func(c *cost) float64 { return milliseconds(median(c.times[step])) })
	}
	for _, step := range []string{scrapeContainers, scrapePods} {
		row("processor time of all shims in a "+step, "ms", 0.3, func(c *cost) float64 { return milliseconds(mean(c.processor[step])) })
	}
	row("pods without metrics in a scrape", "", 0, func(c *cost) float64 { return float64(median(c.missing)) })
	row("resident memory of all shims", "MB", 0, func(c *cost) float64 { return megabytes(sum(c.resident)) })
	private := func(of func(testenv.Memory) uint64) func(*cost) float64 {
		return func(c *cost) float64 { return megabytes(sum(each(c.private, of))) }
	}
	row("private memory of all shims", "MB", 0.6, private(testenv.Memory.Sum))
	row("of it their executables", "MB", 0, private(func(m testenv.Memory) uint64 { return m.Image }))
	row("of it their stacks", "MB", 0, private(func(m testenv.Memory) uint64 { return m.Stacks }))
	row("of it the rest", "MB", 0, private(func(m testenv.Memory) uint64 { return m.Rest }))
	row("threads of a shim", "", 0, func(c *cost) float64 {
		return float64(median(each(c.private, func(m testenv.Memory) uint64 { return uint64(m.Threads) })))
	})
	if *idle > 0 {
		row("processor time of all shims without requests", "ms", 0, func(c *cost) float64 { return milliseconds(c.rest) })
		row("context switches of all shims without requests", "", 0, func(c *cost) float64 { return float64(c.switches) })
		row("threads of all shims that woke up", "", 0, func(c *cost) float64 { return float64(len(c.awake)) })
	}
	return rows
}

// table prints the rows.
func table(costs []*cost, rows []bench.NodeRow) string {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\t%s\t\n", strings.Join(handlersOf(costs), "\t"))
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t", r.Name)
		for _, v := range r.Values {
			fmt.Fprintf(w, "%.1f %s\t", v, r.Unit)
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // to a buffer
	return out.String()
}

func handlersOf(costs []*cost) (names []string) {
	for _, c := range costs {
		names = append(names, c.handler)
	}
	return names
}

// writeResult writes the rows for test/bench/chart.
func writeResult(t *testing.T, costs []*cost, rows []bench.NodeRow) {
	t.Helper()
	node := &bench.Node{Pods: *pods, Idle: *idle, Handlers: handlersOf(costs), Rows: rows}
	data, err := json.Marshal(bench.Report{Node: node})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*resultFile, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func each(all []testenv.Memory, of func(testenv.Memory) uint64) (list []uint64) {
	for _, m := range all {
		list = append(list, of(m))
	}
	return list
}

func megabytes(bytes uint64) float64 { return float64(bytes) / 1e6 }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// median is the middle value, or zero of an empty list.
func median[T time.Duration | uint64](all []T) (middle T) {
	if len(all) > 0 {
		middle = slices.Sorted(slices.Values(all))[len(all)/2]
	}
	return middle
}

func sum(all []uint64) (total uint64) {
	for _, n := range all {
		total += n
	}
	return total
}

// mean averages times that the kernel counts in ticks.
func mean(all []time.Duration) (sum time.Duration) {
	for _, d := range all {
		sum += d
	}
	return sum / time.Duration(max(len(all), 1))
}
