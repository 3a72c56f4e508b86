package plan

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
)

// Files are the files of a container, by the paths that they have in it.
type Files interface {
	IsFile(path string) bool
	IsDir(path string) bool
	// MakeDir makes a directory and its parents.
	MakeDir(path string) error
}

// Search finds the program and the working directory of a job container's process. It runs when the process starts,
// because the container's files and the environment of its user do not exist before.
type Search struct {
	job                 *HostProcess
	field, program, cwd string
	isFile              func(path string) bool // of a container that has only the host's files
}

// In searches files and the PATH of env, the environment of the process. It makes a missing working directory below the
// root file system. Any other missing directory, and a missing program, is [errdefs.ErrNotFound].
func (s *Search) In(files Files, env []string) (application, dir string, err error) {
	isFile := s.isFile
	if dir = s.cwd; isFile == nil {
		isFile = files.IsFile
		if dir, err = s.dir(files); err != nil {
			return "", "", err
		}
	}
	path := searchPath{windows: s.job.host.Root, dir: dir, path: lookupEnv(env, "PATH"), root: s.job.Root, isFile: isFile}
	application, err = path.find(s.field, s.program)
	return application, dir, err
}

func (s *Search) dir(files Files) (string, error) {
	places := s.job.Root.places(s.cwd)
	for _, place := range places {
		if files.IsDir(place) {
			return place, nil
		}
	}
	if _, own := Beneath(s.job.rootPath(), places[0]); !own || s.job.Root == nil || !isPlain(places[0]) {
		return "", fmt.Errorf("process.cwd: directory not found: searched %s: %w", strings.Join(places, "; "), errdefs.ErrNotFound)
	}
	if err := files.MakeDir(places[0]); err != nil {
		return "", fmt.Errorf("process.cwd: %w", err)
	}
	return places[0], nil
}

// searchPath finds programs in the places of SearchPath, with the working directory and the PATH of the process instead
// of the shim's.
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
type searchPath struct {
	windows string // the Windows directory
	dir     string // the working directory
	path    string // the value of PATH
	root    *Root  // or nil
	isFile  func(path string) bool
}

// find returns the full path of a program. A name without an extension is tried with .exe first, then as it is, since
// some images have such programs. Batch files are refused: a shell runs them, and it changes the arguments.
func (s searchPath) find(field, program string) (string, error) {
	p := backslashes(program)
	if base(p) == "" {
		return "", fmt.Errorf("%s: it names no program: %w", field, errdefs.ErrInvalidArgument)
	}
	switch extension(p) {
	case ".bat", ".cmd":
		return "", fmt.Errorf("%s: program %q is a batch file, which only a shell runs; name cmd.exe as the program: %w",
			field, program, errdefs.ErrInvalidArgument)
	case "":
		bare := strings.TrimRight(p, ". ")
		return s.first(field, program, bare+".exe", bare)
	}
	return s.first(field, program, p)
}

// first returns the first path that is a file. All places are tried for one name before the next name.
func (s searchPath) first(field, program string, names ...string) (string, error) {
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
	return "", fmt.Errorf("%s: program %q not found: searched %s: %w", field, program, strings.Join(tried, "; "), errdefs.ErrNotFound)
}

// places lists the paths where a program is searched, in order.
func (s searchPath) places(field, p string) ([]string, error) {
	switch {
	case isAbs(p):
		return s.root.places(p), nil
	case hasDrive(p):
		return nil, fmt.Errorf("%s: program %q depends on a drive's working directory; give its full path: %w", field, p, errdefs.ErrInvalidArgument)
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

// dirs lists the directories where a bare name is searched. Entries of PATH that are not absolute are ignored.
func (s searchPath) dirs() []string {
	dirs := []string{s.dir}
	for entry := range strings.SplitSeq(s.path, ";") {
		entry = backslashes(strings.Trim(strings.TrimSpace(entry), `"`))
		if isAbs(entry) {
			dirs = append(dirs, entry)
		}
	}
	return append(dirs, join(s.windows, "System32"), join(s.windows, "System"), s.windows)
}
