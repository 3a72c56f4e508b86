package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// table has the last run with each version.
type table map[string]run

func load(path string) (table, error) {
	t := table{}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func (t table) save(path string) error {
	data, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

func (t table) versions() []string { return slices.Sorted(maps.Keys(t)) }

// subject is a row of the table in docs/evidence.md.
type subject string

const (
	tasks     subject = "tasks, by `ctr`"
	pods      subject = "pods, by `crictl`, with the default sandboxer"
	sandboxes subject = "pods with the Sandbox API"
)

func subjectOf(test string) subject {
	switch {
	case strings.Contains(strings.ToLower(test), "sandbox"):
		return sandboxes
	case strings.Contains(test, "Pod"), strings.Contains(test, "SiloInstall_"), strings.Contains(test, "Handlers"):
		return pods
	}
	return tasks
}

// cell has the number of a subject's cases that passed. It is empty if all were skipped: that version lacks the feature.
func (r run) cell(s subject) string {
	passed, ran := 0, 0
	for _, test := range r.leaves() {
		if subjectOf(test) != s || r.Results[test] == "skip" {
			continue
		}
		ran++
		if r.Results[test] == "pass" {
			passed++
		}
	}
	switch ran {
	case 0:
		return ""
	case passed:
		return fmt.Sprintf("all %d cases", ran)
	}
	return fmt.Sprintf("%d of %d cases", passed, ran)
}

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// head is the first two lines of a table.
func (t table) head(first string) string {
	return row(append([]string{first}, t.versions()...)...) + "|" + strings.Repeat("---|", 1+len(t)) + "\n"
}

func (t table) summary() []byte {
	b := bytes.NewBufferString(t.head("containerd"))
	for _, s := range []subject{tasks, pods, sandboxes} {
		cells := []string{string(s)}
		for _, v := range t.versions() {
			cells = append(cells, t[v].cell(s))
		}
		b.WriteString(row(cells...))
	}
	return b.Bytes()
}

// page has every case.
func (t table) page() []byte {
	b := bytes.NewBufferString("# Results by containerd version\n\n`make daemons` writes this page: the cases of `test/e2e` with each version of containerd, on Wine. " +
		"A cell is empty if\nthat version lacks the feature.\n\n" + t.head("case"))
	commits := []string{"commit"}
	cases := map[string]bool{}
	for _, v := range t.versions() {
		commits = append(commits, t[v].Commit)
		for _, test := range t[v].leaves() {
			cases[test] = true
		}
	}
	b.WriteString(row(commits...))
	for _, test := range slices.Sorted(maps.Keys(cases)) {
		cells := []string{strings.ReplaceAll(strings.TrimPrefix(test, "Test"), "_", " ")}
		for _, v := range t.versions() {
			cells = append(cells, strings.TrimSuffix(t[v].Results[test], "skip"))
		}
		b.WriteString(row(cells...))
	}
	return b.Bytes()
}

// into puts the summary between the two marks in a file.
func (t table) into(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(text, []byte("<!-- make daemons -->\n"))
	_, after, ends := bytes.Cut(rest, []byte("<!-- end -->\n"))
	if !begins || !ends {
		return fmt.Errorf("%s has no marks for the table of make daemons", path)
	}
	return os.WriteFile(path, slices.Concat(before, []byte("<!-- make daemons -->\n"), t.summary(), []byte("<!-- end -->\n"), after), 0o644)
}
