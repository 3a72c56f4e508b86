package install

import (
	"slices"
	"strings"
)

// Service is the command line of a service.
type Service struct {
	Exe  string
	Args []string
}

// flag returns the value of a flag of a service, by its names without dashes, in each form that containerd takes:
// --config PATH, --config=PATH, and the same with one dash. The last one counts, and -- ends the flags.
func (s Service) flag(names ...string) (value string) {
	for i, arg := range s.Args {
		if arg == "--" {
			break
		}
		text, ok := strings.CutPrefix(arg, "-")
		if !ok {
			continue
		}
		name, inline, joined := strings.Cut(strings.TrimPrefix(text, "-"), "=")
		switch {
		case !slices.Contains(names, name):
		case joined:
			value = inline
		case i+1 < len(s.Args):
			value = s.Args[i+1]
		}
	}
	return value
}

// cutProgram splits a command line behind its program as CreateProcess does: the name of one without quotes may contain
// blanks, and ends at the first blank before which there is a file.
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
func cutProgram(line string, isFile func(string) bool) (exe, rest string) {
	const blanks = " \t"
	line = strings.TrimLeft(line, blanks)
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		exe, rest, _ = strings.Cut(quoted, `"`)
		return exe, rest
	}
	for at := range len(line) + 1 {
		if at < len(line) && !strings.ContainsRune(blanks, rune(line[at])) {
			continue
		}
		for _, exe := range []string{line[:at], line[:at] + ".exe"} {
			if isFile(exe) {
				return exe, line[at:]
			}
		}
	}
	if at := strings.IndexAny(line, blanks); at >= 0 {
		return line[:at], line[at:]
	}
	return line, ""
}
