package command

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/internal/textfile"
)

// environmentFlags say which variables a program gets.
type environmentFlags struct {
	env   []string
	files []string
}

func (f *environmentFlags) register(set *pflag.FlagSet) {
	set.StringArrayVarP(&f.env, "env", "e", nil, "NAME=VALUE, or NAME to take it from here if it is set; may be repeated")
	set.StringArrayVar(&f.files, "env-file", nil, "file of lines as for --env; # begins a comment; may be repeated")
}

// entries are those of the files, followed by those of the flags. A name that is not set in outer has none. No error
// contains a value, which may be a secret.
func (f *environmentFlags) entries(outer []string) ([]string, error) {
	var list []string
	for _, path := range f.files {
		text, err := textfile.Read(path)
		if err != nil {
			return nil, fmt.Errorf("--env-file: %w", err)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			// Files that were appended to one another have byte order marks inside.
			line = strings.TrimLeft(strings.TrimPrefix(strings.TrimRight(line, "\r\n"), "\uFEFF"), " \t")
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if list, err = addVariable(list, line, outer); err != nil {
				return nil, fmt.Errorf("--env-file %s: line %d: %w", path, n, err)
			}
		}
	}
	for i, entry := range f.env {
		var err error
		if list, err = addVariable(list, entry, outer); err != nil {
			return nil, fmt.Errorf("--env, number %d: %w", i+1, err)
		}
	}
	return list, nil
}

// addVariable adds NAME=VALUE, or NAME with its value in outer.
func addVariable(list []string, entry string, outer []string) ([]string, error) {
	name, _, set := strings.Cut(entry, "=")
	switch {
	case strings.ContainsRune(entry, 0):
		return nil, fmt.Errorf("a NUL character; write NAME=VALUE as text in UTF-8")
	case strings.TrimSpace(name) == "":
		return nil, fmt.Errorf("no name before \"=\"; write NAME=VALUE")
	case set:
		return append(list, entry), nil
	}
	name = strings.TrimSpace(name)
	if value, ok := findEnv(outer, name); ok {
		list = append(list, name+"="+value)
	}
	return list, nil
}

func lookupEnv(env []string, name string) string {
	value, _ := findEnv(env, name)
	return value
}

func findEnv(env []string, name string) (string, bool) {
	for _, entry := range env {
		if n, value, set := strings.Cut(entry, "="); set && strings.EqualFold(n, name) {
			return value, true
		}
	}
	return "", false
}
