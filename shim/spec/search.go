package spec

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

// Search is what is still to be found of a process: its container has files of its own, and they are not there before
// the container is made; or its program was not there yet.
type Search struct {
	job                       *Job
	field, program, path, cwd string
	isFile                    func(path string) bool // of a container without files of its own
}

// In finds the program and the working directory. A working directory below the root file system is made if it is
// missing; any other that is missing, and a program that is, is [errdefs.ErrNotFound].
func (s *Search) In(files Files) (application, dir string, err error) {
	isFile := s.isFile
	if dir = s.cwd; isFile == nil {
		isFile = files.IsFile
		if dir, err = s.dir(files); err != nil {
			return "", "", err
		}
	}
	application, err = search{windows: s.job.host.Root, dir: dir, path: s.path, root: s.job.Root, isFile: isFile}.find(s.field, s.program)
	return application, dir, err
}

// Missing says that there is no program now, for who wants to know before the start. It is [errdefs.ErrNotFound], or nil
// if the program was found, or cannot be sought before the container is made.
func (p *Process) Missing() error {
	if p.Search == nil || p.Search.isFile == nil {
		return nil
	}
	_, _, err := p.Search.In(nil)
	return err
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
