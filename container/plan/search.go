package plan

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
)

// Files are what a container sees, by the paths that it has for them.
type Files interface {
	IsFile(path string) bool
	IsDir(path string) bool
	// MakeDir makes a directory, and those above it.
	MakeDir(path string) error
}

// Search is what is still to be found of a process when it starts: the container's files, and the environment of its
// user, are not known before.
type Search struct {
	job                 *HostProcess
	field, program, cwd string
	isFile              func(path string) bool // of a container without files of its own
}

// In finds the program and the working directory of a process that gets the environment env, whose PATH is searched. A
// working directory below the root file system is made if it is missing; any other that is missing, and a program that
// is, is [errdefs.ErrNotFound].
func (s *Search) In(files Files, env []string) (application, dir string, err error) {
	isFile := s.isFile
	if dir = s.cwd; isFile == nil {
		isFile = files.IsFile
		if dir, err = s.dir(files); err != nil {
			return "", "", err
		}
	}
	path, _ := lookupEnv(env, "PATH")
	application, err = search{windows: s.job.host.Root, dir: dir, path: path, root: s.job.Root, isFile: isFile}.find(s.field, s.program)
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
		return "", fmt.Errorf("process.cwd: directory not found: sought %s: %w", strings.Join(places, "; "), errdefs.ErrNotFound)
	}
	if err := files.MakeDir(places[0]); err != nil {
		return "", fmt.Errorf("process.cwd: %w", err)
	}
	return places[0], nil
}
