package command

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/siloshim/siloshim/internal/size"
)

// The values of --output.
const (
	asTable = "table"
	asWide  = "wide"
	asJSON  = "json"
)

func (a *App) checkOutput() error {
	if !slices.Contains([]string{asTable, asWide, asJSON}, a.output) {
		return fmt.Errorf("--output %q is unknown; use table, wide or json", a.output)
	}
	return nil
}

// column is one column of a table of rows of T.
type column[T any] struct {
	title string
	wide  bool          // shown by --output wide only
	id    bool          // ends with an id, which a table shortens
	most  int           // characters, to which a table shortens; 0 is without end
	shown func(*T) bool // reports whether a row needs the column; nil is always
	value func(*T) string
}

// inTable reports whether a table of these rows has the column.
func (c column[T]) inTable(wide bool, rows []T) bool {
	if c.wide && !wide {
		return false
	}
	for i := range rows {
		if c.shown != nil && c.shown(&rows[i]) {
			return true
		}
	}
	return c.shown == nil
}

// show prints rows as --output says.
func show[T any](a *App, rows []T, columns []column[T]) error {
	if a.output == asJSON {
		return a.showJSON(rows)
	}
	return table(a.Stdout, a.output == asWide, a.output != asWide, rows, columns)
}

// table prints rows, with the wide columns and with short ids as told. Control characters of names do not reach a terminal.
func table[T any](to io.Writer, wide, short bool, rows []T, columns []column[T]) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	columns = slices.DeleteFunc(slices.Clone(columns), func(c column[T]) bool { return !c.inTable(wide, rows) })
	line := func(value func(column[T]) string) {
		var cells []string
		for _, c := range columns {
			cells = append(cells, value(c))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	line(func(c column[T]) string { return c.title })
	for i := range rows {
		line(func(c column[T]) string {
			text := printable(c.value(&rows[i]))
			if c.id && short {
				text = shortID(text)
			}
			if c.most > 0 && short {
				text = shorten(text, c.most)
			}
			return text
		})
	}
	return w.Flush()
}

// showJSON prints one document; an empty list is [], never null.
func (a *App) showJSON(v any) error {
	return encodeJSON(a.Stdout, v, "  ")
}

// none stands for an unknown statistic.
const none = "-"

func bytesOr(n uint64, known bool) string {
	if !known {
		return none
	}
	return size.Format(n)
}

// clock writes processor time as docker top does, with milliseconds.
func clock(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// age writes a time span in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// oneLine writes an error as one line. Joined errors stand once each, also where another wraps the same one.
func oneLine(err error) string {
	var parts []string
	text := strings.ReplaceAll(err.Error(), "\n\nDid you mean this?\n", "; did you mean ") // of package cobra
	for part := range strings.Lines(text) {
		part = strings.Join(strings.Fields(part), " ")
		said := func(earlier string) bool { return earlier == part || strings.HasSuffix(earlier, ": "+part) }
		if part != "" && !slices.ContainsFunc(parts, said) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}
