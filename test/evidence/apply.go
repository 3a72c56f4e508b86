package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The marks around what apply writes in docs/evidence.md.
const (
	beginMark = "<!-- make evidence -->\n"
	endMark   = "<!-- end -->\n"
)

// apply writes an upload into the documents of a repository, and prints what it says about each row.
func apply(log io.Writer, root, dir string) error {
	upload, err := readUpload(os.DirFS(dir))
	if err != nil {
		return fmt.Errorf("read %s: %w", dir, err)
	}
	evidencePath, unprovedPath := filepath.Join(root, "docs", "evidence.md"), filepath.Join(root, "docs", "unproved.md")
	evidence, err := os.ReadFile(evidencePath)
	if err != nil {
		return err
	}
	unproved, err := os.ReadFile(unprovedPath)
	if err != nil {
		return err
	}
	verdicts := settle(assumptions(string(unproved)), upload)
	page, err := withEvidence(string(evidence), upload, verdicts)
	if err != nil {
		return fmt.Errorf("%s: %w", evidencePath, err)
	}
	if err := os.WriteFile(evidencePath, []byte(page), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(unprovedPath, []byte(withoutSettled(string(unproved), verdicts)), 0o644); err != nil {
		return err
	}
	for _, v := range verdicts {
		if v.settled() {
			fmt.Fprintf(log, "%s is settled on %s by %s\n", v.id, strings.Join(v.builds, ", "), v.by)
		}
		for _, b := range v.broken {
			fmt.Fprintf(log, "%s does not hold: %s\n", v.id, b)
		}
	}
	return nil
}

// withoutSettled removes settled rows, and tables that have no row left.
func withoutSettled(page string, verdicts []*verdict) string {
	var out strings.Builder
	for line := range strings.Lines(page) {
		if !slices.ContainsFunc(verdicts, func(v *verdict) bool { return v.settled() && strings.HasPrefix(line, "| "+v.id+" |") }) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// withEvidence adds an upload to the tables of docs/evidence.md. A newer row replaces the one with the same first cells.
func withEvidence(page string, upload []*result, verdicts []*verdict) (string, error) {
	before, rest, begins := strings.Cut(page, beginMark)
	written, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return "", fmt.Errorf("no marks %q and %q", strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	hosts, rows := newTable(2, "host", "user", "commit", "`go test ./...`", "`silo selftest`"), newTable(1, "row", "what holds", "proved by", "builds", "commits")
	hosts.read(written)
	rows.read(written)
	var commits []string
	for _, r := range upload {
		tests, trials := r.countTests(), r.countTrials()
		commits = append(commits, r.Commit[:min(12, len(r.Commit))])
		hosts.set(fmt.Sprintf("%s, %s", cmp.Or(r.System, "Windows"), r.selftest.Windows), r.User, commits[len(commits)-1],
			fmt.Sprintf("%d passed, %d failed, %d skipped", tests[passed], tests[failed], tests["skip"]),
			fmt.Sprintf("%d kept, %d broken, %d skipped", trials[kept], trials[broken], trials["skipped"]))
	}
	slices.Sort(commits)
	commits = slices.Compact(commits)
	for _, v := range verdicts {
		if v.settled() {
			rows.set(v.id, v.text, v.by, strings.Join(v.builds, ", "), strings.Join(commits, ", "))
		}
	}
	return before + beginMark + hosts.String() + "\n" + rows.String() + endMark + after, nil
}

// table is a table of a document, in the order of its keys.
type table struct {
	keys  int // cells that are the key
	title []string
	rows  [][]string
}

func newTable(keys int, title ...string) *table { return &table{keys: keys, title: title} }

// read takes the rows of the table with the same title from a text.
func (t *table) read(text string) {
	_, text, _ = strings.Cut(text, line(t.title))
	for row := range strings.Lines(text) {
		cells, ok := strings.CutPrefix(strings.TrimSpace(row), "| ")
		if !ok && !strings.HasPrefix(row, "|---") {
			return
		}
		if ok {
			t.set(strings.Split(strings.TrimSuffix(cells, " |"), " | ")...)
		}
	}
}

func (t *table) set(cells ...string) {
	t.rows = slices.DeleteFunc(t.rows, func(row []string) bool { return slices.Equal(row[:t.keys], cells[:t.keys]) })
	t.rows = append(t.rows, cells)
	slices.SortFunc(t.rows, func(a, b []string) int {
		return cmp.Or(cmp.Compare(len(a[0]), len(b[0])), slices.Compare(a[:t.keys], b[:t.keys])) // U5 is before U10
	})
}

func (t *table) String() string {
	out := line(t.title) + "|" + strings.Repeat("---|", len(t.title)) + "\n"
	for _, row := range t.rows {
		out += line(row)
	}
	return out
}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
