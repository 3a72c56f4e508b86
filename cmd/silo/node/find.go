package node

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var (
	// ErrNotFound is returned where no container has the id.
	ErrNotFound = errors.New("no such container")
	// ErrNotRunning is an [ErrNotFound] where the container has ended.
	ErrNotRunning = fmt.Errorf("%w is running", ErrNotFound)
	// ErrAmbiguous is returned where several containers have the id.
	ErrAmbiguous = errors.New("more than one container has this id")
)

// longID is an id as containerd's clients make them. A unique beginning stands for it.
var longID = regexp.MustCompile(`^[0-9a-f]{32,}$`)

// Find finds a living container by its id, by namespace/id where several have that id, or by the beginning of a long id.
// It returns [ErrNotFound] or [ErrAmbiguous].
func (n Node) Find(ref string) (Container, error) {
	list, err := n.All()
	if err != nil {
		return Container{}, err
	}
	c, err := find(list, ref, Container.Living)
	if !errors.Is(err, ErrNotFound) {
		return c, err
	}
	if ended, other := find(list, ref, func(Container) bool { return true }); other == nil {
		return Container{}, fmt.Errorf("find container %s: %w: it is %s; silo ps -a shows it", ref, ErrNotRunning, ended.Status)
	}
	return Container{}, err
}

// FindAny is [Node.Find] that also finds containers that have ended and whose record is kept, where none lives.
func (n Node) FindAny(ref string) (Container, error) {
	list, err := n.All()
	if err != nil {
		return Container{}, err
	}
	c, err := find(list, ref, Container.Living)
	if errors.Is(err, ErrNotFound) {
		return find(list, ref, func(Container) bool { return true })
	}
	return c, err
}

// FindOwn finds a container of silo run or silo attach, living or not.
func (n Node) FindOwn(ref string) (Container, error) {
	list, err := n.All()
	if err != nil {
		return Container{}, err
	}
	return find(list, ref, func(c Container) bool { return c.Namespace == Own })
}

// Ended finds a container of silo run that has ended and whose record is kept, by its id or namespace/id.
func (n Node) Ended(ref string) (Container, bool) {
	c, err := n.FindOwn(ref)
	return c, err == nil && c.Status == Ended
}

// find finds the one container of a list that a reference means.
func find(list []Container, ref string, wanted func(Container) bool) (Container, error) {
	var found []Container
	for _, means := range []func(Container, string) bool{Container.called, Container.begins} {
		for _, c := range list {
			if wanted(c) && means(c, ref) {
				found = append(found, c)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	switch len(found) {
	case 0:
		return Container{}, fmt.Errorf("find container %s: %w; silo ps lists the containers", ref, ErrNotFound)
	case 1:
		return found[0], nil
	}
	var names []string
	for _, c := range found {
		names = append(names, c.Name())
	}
	return Container{}, fmt.Errorf("find container %s: %w; use one of %s", ref, ErrAmbiguous, strings.Join(names, ", "))
}

// called reports whether a reference is the id or the name of the container.
func (c Container) called(ref string) bool {
	if c.Namespace == Own {
		return fold(ref) == fold(c.ID) || fold(ref) == fold(c.Name())
	}
	return ref == c.ID || ref == c.Name()
}

// begins reports whether a reference is the beginning of a long id, with or without the namespace.
func (c Container) begins(ref string) bool {
	if namespace, id, ok := strings.Cut(ref, "/"); ok {
		if namespace != c.Namespace {
			return false
		}
		ref = id
	}
	return ref != "" && longID.MatchString(c.ID) && strings.HasPrefix(c.ID, ref)
}
