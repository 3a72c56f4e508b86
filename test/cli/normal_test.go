package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// varying are the values in which two runs of an example may differ, and what stands for each when outputs are compared.
var varying = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d(\.\d+)?\b`), "CLOCK"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ms|s|m|h|d)( ago)?\b`), "SPAN"},
	{regexp.MustCompile(`\b\d+(\.\d+)? ?%`), "PERCENT"},
	{regexp.MustCompile(`\b\d+(\.\d+)? (B|KiB|MiB|GiB)\b`), "SIZE"},
	{regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "GUID"},
	{regexp.MustCompile(`\b(run|attach|nspawn)-\d+\b`), "$1-PID"},
	{regexp.MustCompile(`("[a-z_]*(pid|parent|handles|threads|bytes|_ns|faults|reads|writes)": )\d+`), "${1}NUMBER"},
	{regexp.MustCompile(`\bPID \d+\b`), "PID NUMBER"},
	{regexp.MustCompile(`\bof \d+ processors\b`), "of N processors"},
	{regexp.MustCompile(`^silo \S+ \(\S*\) go\S+`), "silo VERSION"},
}

// measured are columns of tables whose values differ from run to run. A value that is missing, "-", must be missing again.
var measured = []string{
	"PID", "CPU", "CPUS", "CPU TIME", "LOAD", "PRIVATE", "COMMIT", "PEAK", "PRIVATE WORKING SET", "WORKING SET", "THREADS", "HANDLES", "PARENT",
	"READ / WRITTEN",
}

var (
	titles = regexp.MustCompile(`^[A-Z][A-Z /]*(  +[A-Z][A-Z /]*)+$`)
	blanks = regexp.MustCompile(` {2,}`)
)

// normal returns lines without what differs from run to run, and without the widths of columns. A list of processes is
// sorted by their names: silo sorts it by a value that differs from run to run.
func normal(lines []string) (all []string) {
	var starts []int
	var columns []string
	first := 0 // the first row of the table
	for _, line := range lines {
		switch {
		case titles.MatchString(line):
			columns, starts = blanks.Split(line, -1), []int{0}
			for _, at := range blanks.FindAllStringIndex(line, -1) {
				starts = append(starts, at[1])
			}
			all = append(all, strings.Join(columns, " | "))
			first = len(all)
			continue
		case line == "" || line == "...":
		case starts != nil:
			if text, ok := row(line, columns, starts); ok {
				all = append(all, text)
				if !slices.Contains(columns, "PID") || !strings.Contains(text, " | ") {
					first = len(all)
				}
				slices.Sort(all[first:])
				continue
			}
		}
		if line == "" {
			columns, starts = nil, nil
		}
		all = append(all, vary(line))
		first = len(all)
	}
	return all
}

// split returns the cells of a row; nil if the line is none. A row with a cell that is empty has its columns where the
// titles are.
func split(line string, starts []int) (cells []string) {
	if cells := blanks.Split(strings.TrimSpace(line), -1); len(cells) == len(starts) {
		return cells
	}
	runes := []rune(line)
	for i, start := range starts {
		if start > len(runes) {
			break // the last cells are empty
		}
		if start > 0 && runes[start-1] != ' ' {
			return nil
		}
		end := len(runes)
		if i+1 < len(starts) {
			end = min(end, starts[i+1])
		}
		cells = append(cells, strings.TrimSpace(string(runes[start:end])))
	}
	return cells
}

// row returns a row of a table with the cells apart; false if the line is none.
func row(line string, columns []string, starts []int) (string, bool) {
	cells := split(line, starts)
	if cells == nil {
		return "", false
	}
	for i, cell := range cells {
		if slices.Contains(measured, columns[i]) && cell != "-" && cell != "gone" && cell != "failed" {
			cell = "MEASURED"
		}
		cells[i] = vary(cell)
	}
	for len(cells) > 0 && cells[len(cells)-1] == "" { // a page has no blanks at the end of a line
		cells = cells[:len(cells)-1]
	}
	return strings.Join(cells, " | "), true
}

func vary(text string) string {
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.name)
	}
	return strings.TrimRight(text, " ")
}

// same reports whether an output is that of the page but for what differs from run to run.
func same(page, got []string) bool { return matches(normal(page), normal(got)) }

func TestSame_ValuesThatVary_AreEqual(t *testing.T) {
	lines := func(text string) []string { return strings.Split(text, "\n") }
	for _, test := range []struct {
		page, got string
		want      bool
	}{
		{"shop", "shop", true},
		{"shop", "web", false},
		{"137", "0", false},
		{"one\n...\nfour", "one\ntwo\nthree\nfour", true},
		{"one\n...", "one", true},
		{"one\n...\nfour", "one\ntwo", false},
		{"NAME       STATUS      CPU\nsilo/shop  running 4s  00:00:02.840", "NAME       STATUS       CPU\nsilo/shop  running 14s  00:00:00.010", true},
		{"NAME       STATUS      CPU\nsilo/shop  running 4s  -", "NAME       STATUS      CPU\nsilo/shop  running 4s  00:00:00.010", false},
		{"NAME       STATUS      CPU\nsilo/shop  running 4s  -", "NAME       STATUS     CPU\nsilo/shop  paused 4s  -", false},
		{"NAME    PID  CPU\nb.exe   1  00:00:01.000\na.exe  2  00:00:02.000", "NAME  PID  CPU\na.exe   2  00:00:02.000\nb.exe  1  00:00:01.000", true},
		{"NAME       LOG    REMOVED\nsilo/shop  x.log  true", "NAME       LOG                REMOVED\nsilo/shop  x.log     true", true},
		{"NAME       PROCESSES\nsilo/shop  2", "NAME       PROCESSES\nsilo/shop  3", false},
		{"CHECK         OK   REMEDY\nmemory limit  yes", "CHECK         OK   REMEDY\nmemory limit  yes  ", true},
		{`  "pid": 4711, "code": 3`, `  "pid": 12, "code": 3`, true},
		{`  "code": 3`, `  "code": 4`, false},
		{"Global\\silo/silo/run-1068: at 2026-11-21T09:04:31.7Z", "Global\\silo/silo/run-77: at 2026-11-29T10:00:00Z", true},
	} {
		if got := same(lines(test.page), lines(test.got)); got != test.want {
			t.Errorf("%q and %q: %v, want %v", test.page, test.got, got, test.want)
		}
	}
}

func TestExamples_Page_CommandsAndOutput(t *testing.T) {
	page := strings.Split(`# Title

    no example

    > silo ps \
        -a
    NAME

    end
    > silo rm a

<!-- not run: a reason -->

    > silo service install x

Text.

    > echo
    ^C`, "\n")
	got := examples(page)
	if len(got) != 4 {
		t.Fatalf("%d examples, want 4: %+v", len(got), got)
	}
	if e := got[0]; e.command != "silo ps -a" || !slices.Equal(e.output, []string{"NAME", "", "end"}) || page[e.line] != "        -a" || e.end != 9 {
		t.Errorf("%+v", e)
	}
	if e := got[1]; e.command != "silo rm a" || e.output != nil || e.notRun != "" {
		t.Errorf("%+v", e)
	}
	if e := got[2]; e.notRun != "a reason" {
		t.Errorf("%+v", e)
	}
	if e := got[3]; e.notRun != "" || !slices.Equal(e.output, []string{ctrlC}) {
		t.Errorf("%+v", e)
	}
	if got := words(`silo run --user "NT AUTHORITY\Local Service" -- a --b="c d"`); !slices.Equal(got, []string{"silo", "run", "--user", `NT AUTHORITY\Local Service`, "--", "a", "--b=c d"}) {
		t.Errorf("%q", got)
	}
}

func TestShorten_PageLeavesLinesOut_StaysShort(t *testing.T) {
	lines := func(text string) []string { return strings.Split(text, "\n") }
	got := lines("[\n  \"id\": 1,\n  \"code\": 0,\n  \"reason\": \"stopped\"\n]")
	for page, want := range map[string][]string{
		"...\n  \"code\": 137,\n...":                              lines("...\n  \"code\": 0,\n..."),
		"...\n  \"code\": 137,\n  \"reason\": \"killed\"\n...":    lines("...\n  \"code\": 0,\n  \"reason\": \"stopped\"\n..."),
		"...\n  \"id\": 1,\n  \"reason\": \"killed\"\n...":        got, // a line between the two is new
		"...\n  \"error\": \"none\"\n...":                         got,
		"[\n  \"id\": 1,\n  \"code\": 3,\n  \"reason\": \"x\"\n]": got,
	} {
		if short := shorten(lines(page), got); !slices.Equal(short, want) {
			t.Errorf("%q: %q, want %q", page, short, want)
		}
	}
}
