package node

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// Kind is the maker of a container.
type Kind string

// The kinds.
const (
	Task   Kind = "task"   // a job container of the shim
	Run    Kind = "run"    // silo run
	Attach Kind = "attach" // silo attach
	Server Kind = "server" // a Windows Server container
)

// Own is the namespace of the containers of silo run and silo attach.
const Own = "silo"

// serverNamespace is that of Windows Server containers: the Host Compute Service has no namespaces.
const serverNamespace = "hcs"

var (
	// ErrNotFound is returned where no container has the id.
	ErrNotFound = errors.New("no such container")
	// ErrAmbiguous is returned where several containers have the id.
	ErrAmbiguous = errors.New("more than one container has this id")
)

// Container is one container of the machine.
type Container struct {
	Kind      Kind    `json:"kind"`
	Namespace string  `json:"namespace"`
	ID        string  `json:"id"`
	Job       string  `json:"job"` // the name of its job object
	Record    *Record `json:"record,omitempty"`
}

// Name is namespace and id.
func (c Container) Name() string { return c.Namespace + "/" + c.ID }

// Open opens the job of the container.
func (c Container) Open(access jobobject.Access, k jobobject.Kernel) (*jobobject.Job, error) {
	return jobobject.Open(c.Job, jobobject.OpenOptions{Access: access, Kernel: k})
}

// Node is a machine with containers.
type Node struct {
	// Names lists the job objects of the machine as kernel paths; nil is [JobNames].
	Names func() ([]string, error)
	// Records are kept here.
	Records Records
}

// Containers lists all, by namespace and id.
func (n Node) Containers() ([]Container, error) {
	names := n.Names
	if names == nil {
		names = JobNames
	}
	paths, err := names()
	if err != nil {
		return nil, fmt.Errorf("list job objects: %w", err)
	}
	var list []Container
	for _, path := range paths {
		c, ok := parse(path)
		if !ok {
			continue
		}
		if c.Namespace == Own {
			if c.Record = n.Records.read(c.ID); c.Record != nil {
				if c.Record.Exit != nil {
					continue // its supervisor has recorded the exit; a job without members may exist a moment longer
				}
				c.Kind = c.Record.Kind
			}
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Container) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(list, func(a, b Container) bool { return a.Job == b.Job }), nil
}

// Ended finds a container of silo run that has ended and whose record is kept, by its id or namespace/id.
func (n Node) Ended(ref string) (Container, bool) {
	id := strings.TrimPrefix(ref, Own+"/")
	if id == "" || id == "." || id == ".." || strings.ContainsAny(id, `/\:`) {
		return Container{}, false // not an id: the path would leave the directory
	}
	record := n.Records.read(id)
	if record == nil || record.Exit == nil {
		return Container{}, false
	}
	return Container{Kind: record.Kind, Namespace: Own, ID: id, Job: JobName(Own, id), Record: record}, true
}

// Find finds a container by its id, or by namespace/id where several have that id. It returns [ErrNotFound] or
// [ErrAmbiguous].
func (n Node) Find(ref string) (Container, error) {
	list, err := n.Containers()
	if err != nil {
		return Container{}, err
	}
	var found []Container
	for _, c := range list {
		if c.ID == ref || c.Name() == ref {
			found = append(found, c)
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
