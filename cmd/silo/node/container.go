package node

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
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

// Container is one container of the machine.
type Container struct {
	Kind      Kind    `json:"kind"`
	Namespace string  `json:"namespace"`
	ID        string  `json:"id"`
	Job       string  `json:"job"` // the name of its job object
	System    string  `json:"system,omitempty"`
	Status    Status  `json:"status"`
	Error     string  `json:"error,omitempty"` // why its record cannot be read
	Record    *Record `json:"record,omitempty"`

	Pod *podinfo.Pod `json:"pod,omitempty"` // nil if it has none, or its shim has not published it

	job        bool // its job object exists
	supervised bool // its supervisor may be alive
}

// Name is namespace and id.
func (c Container) Name() string { return c.Namespace + "/" + c.ID }

// Living reports whether the container runs, is being started, or will be started again.
func (c Container) Living() bool {
	return c.job || c.Status == Starting || c.Status == Running || c.Status == Restarting
}

// Supervised reports whether the silo process that holds its job may be alive.
func (c Container) Supervised() bool { return c.supervised }

// Exporter is the URL at which the supervisor of the container exports its metrics; empty if none does.
func (c Container) Exporter() string {
	if c.Record == nil || !c.supervised || c.Status == Ended {
		return ""
	}
	return c.Record.Metrics
}

// LastExit is how the container has ended, or how its start before the latest one has; nil if neither is known.
func (c Container) LastExit() *Exit {
	switch {
	case c.Record == nil:
		return nil
	case c.Record.Exit != nil:
		return c.Record.Exit
	}
	return c.Record.LastExit
}

// Open opens the job of the container.
func (c Container) Open(access jobobject.Access, k jobobject.Kernel) (*jobobject.Job, error) {
	return jobobject.Open(c.Job, jobobject.OpenOptions{Access: access, Kernel: k})
}

// describe takes over what a record says.
func (c *Container) describe(rec *Record, r Records) {
	c.Kind, c.ID, c.Record, c.supervised = rec.Kind, rec.ID, rec, r.Supervised(rec)
	if rec.Kind == Server {
		c.System = cmp.Or(rec.System, rec.ID)
		c.Job = stats.SiloName(c.System)
	}
	switch {
	case rec.Exit != nil:
		c.Status = Ended
	case !c.supervised:
		c.Status = Lost
	case rec.Status == "" || rec.Status == Ended:
		c.Status = Running
	default:
		c.Status = rec.Status
	}
}

// Node is a machine with containers.
type Node struct {
	// Names lists the job objects of the machine as kernel paths; nil is [JobNames].
	Names func() ([]string, error)
	// Records are kept here.
	Records Records
	// Pods has the pods of the shims' containers; nil is the store of this machine.
	Pods podinfo.Store
}

// Containers lists those that live, by namespace and id.
func (n Node) Containers() ([]Container, error) {
	list, err := n.All()
	return slices.DeleteFunc(list, func(c Container) bool { return !c.Living() }), err
}

// All lists the containers that live, and those that have a record, by namespace and id.
func (n Node) All() ([]Container, error) {
	// The records come first. A container that ends meanwhile is then in the list, and one that starts has its job.
	list, err := n.Records.All()
	if err != nil {
		return nil, err
	}
	return n.withJobs(list)
}

// withJobs adds the jobs of the machine to the containers that have a record.
func (n Node) withJobs(list []Container) ([]Container, error) {
	names := n.Names
	if names == nil {
		names = JobNames
	}
	paths, err := names()
	if err != nil {
		return nil, fmt.Errorf("list job objects: %w", err)
	}
	recorded := map[string]int{}
	for i, c := range list {
		recorded[c.key()] = i
	}
	for _, path := range paths {
		c, ok := parse(path)
		if !ok {
			continue
		}
		c.job = true
		i, ok := recorded[c.key()]
		if ok && list[i].Status == Ended && c.Kind != Server {
			continue // its supervisor has recorded the exit; a job without members may exist a moment longer
		}
		if ok && list[i].Status != Ended {
			list[i].join(c)
			continue
		}
		recorded[c.key()] = len(list)
		c.Pod = n.podOf(c)
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Container) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// podOf returns the pod of a container without a record, or nil.
func (n Node) podOf(c Container) *podinfo.Pod {
	key := podinfo.Key(c.Namespace, c.ID)
	switch c.Kind {
	case Server:
		key = c.System
	case Run, Attach:
		return nil
	}
	pods := n.Pods
	if pods == nil {
		pods = podinfo.System()
	}
	p, err := pods.Read(key)
	if err != nil {
		return nil // most have none; where access is denied the job denies it, too
	}
	return &p
}

// key is the same for the record of a container and for its job.
func (c Container) key() string {
	switch {
	case c.Kind == Server:
		return serverNamespace + "/" + fold(c.System)
	case c.Namespace == Own:
		return Own + "/" + fold(c.ID)
	}
	return c.Name()
}

// join adds the job of a container to its record.
func (c *Container) join(job Container) {
	c.job, c.Job = true, job.Job
	if c.Error != "" || c.Status == Lost && c.Record.Supervisor == 0 {
		c.Status = Running
	}
}
