package install

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// errByHand is returned where an edit would change more than it should.
var errByHand = errors.New("it cannot be edited safely; edit it by hand")

// The lines around what is put into a config.toml of version 2.
const (
	blockBegin = "# silo install: from here\n"
	blockEnd   = "# silo install: to here\n"
)

// parse reads a configuration.
func parse(text string) (map[string]any, error) {
	doc := map[string]any{}
	if err := toml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	return doc, nil
}

// imports are the files that a configuration imports.
func imports(doc map[string]any) []string {
	list, _ := doc["imports"].([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// isImported reports whether a configuration in dir imports a file, as containerd resolves it.
func isImported(doc map[string]any, dir, file string) bool {
	return slices.ContainsFunc(imports(doc), func(pattern string) bool {
		pattern = filepath.Clean(pattern)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(dir, pattern)
		}
		if !strings.Contains(pattern, "*") {
			return strings.EqualFold(pattern, file)
		}
		ok, _ := filepath.Match(strings.ToLower(pattern), strings.ToLower(file)) // a bad pattern matches nothing
		return ok
	})
}

// importLine is the beginning of the array of imports. In TOML it stands before the first table.
var importLine = regexp.MustCompile(`(?m)^[ \t]*imports[ \t]*=[ \t]*\[`)

// The two additions: an element of an existing array, and a new line. They differ, so that each can be removed.
func element(pattern string) string { return "'" + pattern + "', " }
func line(pattern string) string    { return "imports = ['" + pattern + "']\n" }

// addImport adds a pattern to the imports of a configuration.
func addImport(text, pattern string) (string, error) {
	before, err := parse(text)
	if err != nil {
		return "", err
	}
	out := line(pattern) + text
	if at := importLine.FindStringIndex(text); at != nil && before["imports"] != nil {
		out = text[:at[1]] + element(pattern) + text[at[1]:]
	}
	want := anySlice(append([]string{pattern}, imports(before)...))
	return out, onlyImports(before, out, want)
}

// removeImport is the reverse of addImport.
func removeImport(text, pattern string) (string, error) {
	before, err := parse(text)
	if err != nil {
		return "", err
	}
	list := imports(before)
	at := slices.Index(list, pattern)
	if at < 0 {
		return text, nil
	}
	if out, ok := strings.CutPrefix(text, line(pattern)); ok {
		return out, onlyImports(before, out, nil)
	}
	out := text
	if at := importLine.FindStringIndex(text); at != nil {
		out = text[:at[1]] + strings.TrimPrefix(text[at[1]:], element(pattern))
	}
	return out, onlyImports(before, out, anySlice(slices.Delete(list, at, at+1)))
}

func anySlice(list []string) any {
	out := []any{}
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

// onlyImports checks that a text differs from the one before in its imports alone.
func onlyImports(before map[string]any, text string, want any) error {
	after, err := parse(text)
	if err != nil {
		return fmt.Errorf("%w: %w", errByHand, err)
	}
	expected := map[string]any{}
	for k, v := range before {
		expected[k] = v
	}
	delete(expected, "imports")
	if want != nil {
		expected["imports"] = want
	}
	if !reflect.DeepEqual(after, expected) {
		return errByHand
	}
	return nil
}

// addBlock adds tables at the end of a configuration. They are marked, for removeBlock.
func addBlock(text, block string) (string, error) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	out := text + blockBegin + block + blockEnd
	if _, err := parse(out); err != nil {
		return "", fmt.Errorf("%w: %w", errByHand, err)
	}
	return out, nil
}

// removeBlock takes the marked tables out.
func removeBlock(text string) string {
	begin := strings.LastIndex(text, blockBegin)
	if begin < 0 {
		return text
	}
	_, tail, ends := strings.Cut(text[begin:], blockEnd)
	if !ends {
		return text
	}
	return text[:begin] + tail
}

// handlers are the runtime handlers of a configuration.
type handlers struct {
	Default string            // the handler of pods that name none
	Types   map[string]string // the runtime type of each
}

// sections are the plugins with the handlers, in configuration versions 3 and 2.
var sections = []string{"io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"}

// parseHandlers finds the handlers of a configuration. The values that it does not read must be well formed, too: containerd reads
// them.
func parseHandlers(text string) (handlers, error) {
	if _, err := parse(text); err != nil {
		return handlers{}, err
	}
	var doc struct {
		Plugins map[string]struct {
			Containerd struct {
				Default  string `toml:"default_runtime_name"`
				Runtimes map[string]struct {
					Type string `toml:"runtime_type"`
				} `toml:"runtimes"`
			} `toml:"containerd"`
		} `toml:"plugins"`
	}
	if err := toml.Unmarshal([]byte(text), &doc); err != nil {
		return handlers{}, fmt.Errorf("parse: %w", err)
	}
	for _, name := range sections {
		if c := doc.Plugins[name].Containerd; len(c.Runtimes) > 0 {
			h := handlers{Default: c.Default, Types: map[string]string{}}
			for name, r := range c.Runtimes {
				h.Types[name] = r.Type
			}
			return h, nil
		}
	}
	return handlers{}, nil
}
