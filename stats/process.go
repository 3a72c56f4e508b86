package stats

import (
	"encoding/json"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// ProcessFields is a set of the parts of a [Process] that are known.
type ProcessFields uint8

// The parts. The pid is always known.
const (
	KnownImage ProcessFields = 1 << iota
	KnownParent
	KnownTimes   // Created, User and Kernel
	KnownMemory  // Commit, WorkingSet and PageFaults
	KnownPrivate // PrivateWorkingSet and SharedWorkingSet; without it they are bounds
	KnownThreads
	KnownHandles
)

// Process is one process of a container. What Known does not name is zero and means nothing, but for the bounds that
// [KnownPrivate] tells of.
type Process struct {
	Pid, Parent uint32 // the parent may be long gone, and its pid another's
	Image       string // without the directory
	Created     time.Time
	User        time.Duration
	Kernel      time.Duration

	Commit            uint64 // bytes, as all below
	WorkingSet        uint64
	PrivateWorkingSet uint64
	SharedWorkingSet  uint64
	PageFaults        uint32 // wraps around

	Threads uint32 // only a list of the whole machine tells
	Handles uint32

	Known ProcessFields
}

// Has tells whether all of the figures are known.
func (p *Process) Has(f ProcessFields) bool { return p.Known&f == f }

// MarshalJSON gives the process in snake_case with the unit in every name; what is unknown has no key.
func (p Process) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Pid        uint32     `json:"pid"`
		Parent     *uint32    `json:"parent,omitempty"`
		Image      *string    `json:"image,omitempty"`
		Created    *time.Time `json:"created,omitempty"`
		UserNS     *int64     `json:"user_ns,omitempty"`
		KernelNS   *int64     `json:"kernel_ns,omitempty"`
		Commit     *uint64    `json:"commit_bytes,omitempty"`
		WorkingSet *uint64    `json:"working_set_bytes,omitempty"`
		Private    *uint64    `json:"private_working_set_bytes,omitempty"`
		Shared     *uint64    `json:"shared_working_set_bytes,omitempty"`
		PageFaults *uint32    `json:"page_faults,omitempty"`
		Threads    *uint32    `json:"threads,omitempty"`
		Handles    *uint32    `json:"handles,omitempty"`
	}{
		p.Pid, known(p, KnownParent, p.Parent), known(p, KnownImage, p.Image), known(p, KnownTimes, p.Created),
		known(p, KnownTimes, int64(p.User)), known(p, KnownTimes, int64(p.Kernel)),
		known(p, KnownMemory, p.Commit), known(p, KnownMemory, p.WorkingSet),
		known(p, KnownPrivate, p.PrivateWorkingSet), known(p, KnownPrivate, p.SharedWorkingSet),
		known(p, KnownMemory, p.PageFaults), known(p, KnownThreads, p.Threads), known(p, KnownHandles, p.Handles),
	})
}

func known[T any](p Process, f ProcessFields, v T) *T {
	if !p.Has(f) {
		return nil
	}
	return &v
}

func (p *Process) setMemory(m jobobject.ProcessMemory) {
	p.Commit, p.WorkingSet, p.PageFaults = m.Commit, m.WorkingSet, m.PageFaults
	p.Known |= KnownMemory
	p.PrivateWorkingSet = min(m.WorkingSet, m.Commit)
	if m.PrivateKnown {
		p.PrivateWorkingSet = m.PrivateWorkingSet
		p.Known |= KnownPrivate
	}
	p.SharedWorkingSet = m.WorkingSet - min(m.WorkingSet, p.PrivateWorkingSet)
}

func (p *Process) setTimes(t jobobject.ProcessTimes) {
	p.Created, p.User, p.Kernel = t.Created, t.User, t.Kernel
	p.Known |= KnownTimes
}

// facts of a process that can never change.
type facts struct {
	image  string
	parent uint32
	known  ProcessFields
}

// learn asks for the facts.
func (x member) queryFacts() *facts {
	var f facts
	if image, err := x.Image(); err == nil {
		f.image = image
		f.known |= KnownImage
	}
	if parent, err := x.Parent(); err == nil {
		f.parent = parent
		f.known |= KnownParent
	}
	return &f
}

// process asks for all that is told of one process. Each part stands alone. ok is false for one that has ended.
func (x *member) process() (p Process, ok bool) {
	p.Pid = x.Pid()
	m, err := x.Memory()
	if (err != nil || m.WorkingSet == 0) && x.exited() {
		return p, false
	}
	if err == nil {
		p.setMemory(m)
	}
	if t, err := x.Times(); err == nil {
		p.setTimes(t)
	}
	if n, err := x.Handles(); err == nil {
		p.Handles = n
		p.Known |= KnownHandles
	}
	if x.facts == nil {
		x.facts = x.queryFacts()
	}
	p.Image, p.Parent = x.facts.image, x.facts.parent
	p.Known |= x.facts.known
	return p, true
}

// Processes lists the members by pid, without a look at any other process of the machine. It asks for the list at
// most twice unless the job grows faster than we ask, three questions for each member whose handle is open, and up to
// five more for one that has to be opened and closed. A member that may not be opened is listed with its pid alone.
func (c *Collector) Processes() ([]Process, error) {
	c.turn <- struct{}{}
	defer c.endTurn()
	job, err := c.enter()
	if err != nil {
		return nil, err
	}
	defer c.leave(job)
	if err := c.members.refresh(job, nil); err != nil {
		return nil, err
	}
	defer c.settle()
	return c.members.processes(), nil
}

func (m *members) processes() []Process {
	list := make([]Process, 0, len(m.open)+len(m.denied))
	left := m.open[:0]
	for _, x := range m.open {
		p, ok := x.process()
		if !ok {
			closeMember(x)
			continue
		}
		left = append(left, x)
		list = append(list, p)
	}
	clear(m.open[len(left):])
	m.open = left
	for _, pid := range m.denied {
		list = append(list, Process{Pid: pid})
	}
	sortByPid(list)
	return list
}
