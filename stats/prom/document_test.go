package prom_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/stats/prom"
)

// described finds the help and the type of each metric of an answer.
var described = regexp.MustCompile(`(?m)^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$`)

// TestDocument: docs/metrics.md has the table of all metrics.
func TestDocument(t *testing.T) {
	state := &prom.State{Status: "running", Restarts: new(1), LastExit: &prom.Exit{Reason: "exited"}}
	sample := full()
	sample.Limits.ActiveProcesses = 9
	text := scrape(t, exporter([]prom.Container{{Kind: "task", Namespace: "a", ID: "b", Sample: sample, State: state, Output: new(prom.Output)}}, nil))
	table := "| metric | type | meaning |\n|---|---|---|\n"
	for _, m := range described.FindAllStringSubmatch(text, -1) {
		table += "| `" + m[1] + "` | " + m[3] + " | " + m[2] + " |\n"
	}
	path := filepath.Join("..", "..", "docs", "metrics.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- metrics -->\n", "<!-- end -->"
	before, rest, _ := strings.Cut(string(page), begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no place for the table", path)
	}
	want := before + begin + "\n" + table + "\n" + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("the page is out of date, make generate writes it (-want +got):\n%s", diff)
	}
}
