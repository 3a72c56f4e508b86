package plan

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
)

// search finds programs the way SearchPath does, for the process's own directory and path instead of the shim's.
// https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
type search struct {
	windows string // the Windows directory
	dir     string // the working directory
	path    string // the value of PATH
	root    *Root  // or nil
	isFile  func(path string) bool
}

// find returns the full path of a program. Without an extension it is an exe; images have programs that end in none
// as well, and those come after. Batch files are refused: only a
// shell can run them, and what a shell makes of arguments is not what was asked for.
func (s search) find(field, program string) (string, error) {
	p := backslashes(program)
	if base(p) == "" {
		return "", fmt.Errorf("%s: it names no program: %w", field, errdefs.ErrInvalidArgument)
	}
	switch extension(p) {
	case ".bat", ".cmd":
		return "", fmt.Errorf("%s: program %q is a batch file, and nothing is run through a shell: name cmd.exe as the program to have one: %w",
			field, program, errdefs.ErrInvalidArgument)
	case "":
		bare := strings.TrimRight(p, ". ")
		return s.first(field, program, bare+".exe", bare)
	}
	return s.first(field, program, p)
}

// first finds the first of these names of a program that is anywhere.
func (s search) first(field, program string, names ...string) (string, error) {
	var tried []string
	for _, name := range names {
		places, err := s.places(field, name)
		if err != nil {
			return "", err
		}
		for _, full := range places {
			if s.isFile(full) {
				return full, nil
			}
		}
		tried = append(tried, places...)
	}
	return "", fmt.Errorf("%s: program %q not found: sought %s: %w", field, program, strings.Join(tried, "; "), errdefs.ErrNotFound)
}

// places lists the full paths that a program may have, in the order of preference.
func (s search) places(field, p string) ([]string, error) {
	switch {
	case isAbs(p):
		return s.root.places(p), nil
	case hasDrive(p):
		return nil, fmt.Errorf("%s: program %q depends on a drive's working directory: give its full path: %w", field, p, errdefs.ErrInvalidArgument)
	case strings.HasPrefix(p, `\`) && s.root != nil:
		return []string{join(s.root.Path, p)}, nil
	case strings.HasPrefix(p, `\`) && hasDrive(s.dir):
		return []string{join(s.dir[:2], p)}, nil
	case strings.Contains(p, `\`):
		full := []string{join(s.dir, strings.TrimPrefix(p, `.\`))}
		if s.root != nil {
			full = append(full, join(s.root.Path, strings.TrimPrefix(p, `.\`)))
		}
		return full, nil
	}
	var full []string
	for _, dir := range s.dirs() {
		full = append(full, join(dir, p))
	}
	return full, nil
}

// dirs are the directories in which a bare name is sought. Entries of PATH that depend on a working directory
// are left out.
func (s search) dirs() []string {
	dirs := []string{s.dir}
	for entry := range strings.SplitSeq(s.path, ";") {
		entry = backslashes(strings.Trim(strings.TrimSpace(entry), `"`))
		if isAbs(entry) {
			dirs = append(dirs, entry)
		}
	}
	return append(dirs, join(s.windows, "System32"), join(s.windows, "System"), s.windows)
}
