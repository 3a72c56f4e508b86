package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// outcome is the result of a case, as the end-to-end tests report it.
type outcome struct {
	State   string // passed, skipped, failed, timedout, panicked, ...
	Failure struct{ Message string }
	// RunTime is in nanoseconds.
	RunTime int64
}

// readReport reads the report of a run: the outcome of each case by its name.
func readReport(text []byte) (map[string]outcome, error) {
	var suites []struct {
		SpecReports []struct {
			outcome
			ContainerHierarchyTexts    []string
			LeafNodeType, LeafNodeText string
		}
	}
	if err := json.Unmarshal(text, &suites); err != nil {
		return nil, err
	}
	outcomes := map[string]outcome{}
	for _, suite := range suites {
		for _, r := range suite.SpecReports {
			name := strings.Join(append(r.ContainerHierarchyTexts, r.LeafNodeText), " ")
			if r.LeafNodeType != "It" {
				name = r.LeafNodeType // of the suite, such as BeforeSuite
			}
			outcomes[name] = r.outcome
		}
	}
	return outcomes, nil
}

// result is the result of a case with a handler.
type result struct {
	*spec
	handler string
	outcome
}

// table prints the results by area and handler, the reasons of the skips, and the totals.
func table(l *list, results []result) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "area\thandler\tpassed\tfailed\tskipped by the tests\tskipped by the list")
	total := map[string]int{}
	for _, a := range l.areas {
		for _, h := range handlersOf(results) {
			n := map[string]int{}
			for _, r := range results {
				if r.area == a && r.handler == h {
					n[r.kind()]++
					total[r.kind()]++
				}
			}
			if len(n) > 0 {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\n", a.focus, h, n["passed"], n["failed"], n["skipped"], n["listed"])
			}
		}
	}
	_ = w.Flush() // a strings.Builder accepts everything
	fmt.Fprintf(&out, "\nrun %d, passed %d, failed %d, skipped %d\n\n", total["passed"]+total["failed"], total["passed"], total["failed"], total["skipped"]+total["listed"])
	why := map[string]int{}
	for _, r := range results {
		switch r.kind() {
		case "listed":
			why[l.reasons[r.skip.reason]]++
		case "skipped":
			why["the tests: "+firstLine(r.Failure.Message)]++
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		fmt.Fprintf(&out, "%4d skipped: %s\n", why[reason], reason)
	}
	return out.String()
}

// kind is passed, failed, skipped by the tests, or listed as a skip and therefore not run.
func (r result) kind() string {
	switch r.State {
	case "":
		return "listed"
	case "passed", "skipped":
		return r.State
	}
	return "failed"
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// handlersOf lists the handlers of results in their order.
func handlersOf(results []result) []string {
	var names []string
	for _, r := range results {
		if !slices.Contains(names, r.handler) {
			names = append(names, r.handler)
		}
	}
	return names
}
