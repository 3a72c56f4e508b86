package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"text/template"
	"unicode"
)

// field is a value of a row of T that a template of --format has by its name.
type field[T any] struct {
	name  string
	value func(*T) any
}

// formatUsage is the usage of every flag --format.
const formatUsage = "Go template for each row, \"table TEMPLATE\", or json for a line of JSON per row"

// formatter prints rows as --format says.
type formatter[T any] struct {
	fields []field[T]
	json   bool
	table  bool
	text   *template.Template // nil with json
	titled bool               // the titles of the table are printed
}

// formatFunctions are those of docker's templates.
var formatFunctions = template.FuncMap{
	"json": func(v any) (string, error) {
		text, err := json.Marshal(v)
		return string(text), err
	},
	"split": strings.Split, "join": strings.Join, "lower": strings.ToLower, "upper": strings.ToUpper,
	"truncate": func(text string, n int) string {
		if r := []rune(text); len(r) > n {
			return string(r[:max(n, 0)])
		}
		return text
	},
}

// formatEscapes are read in a template: most shells have no way to type them.
var formatEscapes = strings.NewReplacer(`\t`, "\t", `\n`, "\n")

// newFormatter reads the text of --format in the syntax of docker.
func newFormatter[T any](text string, fields []field[T]) (*formatter[T], error) {
	f := &formatter[T]{fields: fields}
	text = strings.TrimSpace(text)
	if text == asJSON {
		f.json = true
		return f, nil
	}
	if rest, ok := strings.CutPrefix(text, asTable); ok && (rest == "" || unicode.IsSpace(rune(rest[0]))) {
		f.table, text = true, strings.TrimLeft(rest, " ")
		if text == "" {
			return nil, errors.New(`--format "table" needs a template after it, such as "table {{.` + fields[0].name + `}}"`)
		}
	}
	t, err := parseFormat(text)
	f.text = t
	return f, err
}

func parseFormat(text string) (*template.Template, error) {
	t, err := template.New("template").Option("missingkey=error").Funcs(formatFunctions).Parse(formatEscapes.Replace(text) + "\n")
	if err != nil {
		return nil, fmt.Errorf("--format: %s", strings.TrimPrefix(err.Error(), "template: "))
	}
	return t, nil
}

// print prints rows. It may be called again for further rows.
func (f *formatter[T]) print(to io.Writer, rows []T) error {
	if f.json {
		for i := range rows {
			if err := encodeJSON(to, &rows[i], ""); err != nil {
				return err
			}
		}
		return nil
	}
	var text bytes.Buffer
	if f.table && !f.titled {
		if err := f.execute(&text, func(f field[T]) any { return title(f.name) }); err != nil {
			return err
		}
		f.titled = true
	}
	for i := range rows {
		if err := f.execute(&text, func(f field[T]) any { return f.value(&rows[i]) }); err != nil {
			return err
		}
	}
	if !f.table {
		_, err := to.Write(printableLines(text.Bytes()))
		return err
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, err := w.Write(printableLines(text.Bytes()))
	return errors.Join(err, w.Flush())
}

func (f *formatter[T]) execute(to io.Writer, value func(field[T]) any) error {
	values := map[string]any{}
	for _, field := range f.fields {
		values[field.name] = value(field)
	}
	if err := f.text.Execute(to, values); err != nil {
		return fmt.Errorf("--format: %s; the fields are %s", templateError(err), fieldNames(f.fields))
	}
	return nil
}

// templateError is an error of a template without the place in it, which is one line.
func templateError(err error) string {
	if _, text, ok := strings.Cut(err.Error(), " at <"); ok {
		return "<" + text
	}
	return err.Error()
}

// fieldNames lists the fields, for help texts and errors.
func fieldNames[T any](fields []field[T]) string {
	var names []string
	for _, f := range fields {
		names = append(names, "."+f.name)
	}
	return strings.Join(names, " ")
}

// title is the title of a field in a table: EXIT CODE for ExitCode.
func title(name string) string {
	var text strings.Builder
	lower := false
	for _, r := range name {
		if unicode.IsUpper(r) && lower {
			text.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		text.WriteRune(unicode.ToUpper(r))
	}
	return text.String()
}

// errFormatOutput is returned where both flags are given.
var errFormatOutput = errors.New("--format and --output exclude each other; use one")

// showFormat prints rows as --format says, or without it as --output says.
func showFormat[T any](a *App, format string, rows []T, columns []column[T], fields []field[T]) error {
	if format == "" {
		return show(a, rows, columns)
	}
	if a.output != asTable {
		return errFormatOutput
	}
	return printFormat(a.Stdout, format, rows, columns, fields)
}

// printFormat prints rows as --format says.
func printFormat[T any](to io.Writer, format string, rows []T, columns []column[T], fields []field[T]) error {
	if strings.TrimSpace(format) == asTable {
		return table(to, false, true, rows, columns)
	}
	f, err := newFormatter(format, fields)
	if err != nil {
		return err
	}
	return f.print(to, rows)
}
