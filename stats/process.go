package stats

import (
	"encoding/json"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// ProcessFields is a set of fields of a [Process].
type ProcessFields uint8

// The fields. The pid is always known.
const (
	KnownImage ProcessFields = 1 << iota
	KnownParent
	KnownTimes   // Created, User and Kernel
	KnownMemory  // Commit, WorkingSet and PageFaults
	KnownPrivate // PrivateWorkingSet and SharedWorkingSet; without it they are upper and lower bounds
	KnownThreads
	KnownHandles
)

// Process is one process of a container. A field that Known does not have is zero and means nothing, except for the
// bounds without [KnownPrivate].
type Process struct {
	Pid, Parent uint32 // the parent may have exited, and its pid be reused
	Image       string // without the directory
	Created     time.Time
	User        time.Duration
	Kernel      time.Duration

	Commit            uint64 // bytes, as all below
	WorkingSet        uint64
	PrivateWorkingSet uint64
	SharedWorkingSet  uint64
	PageFaults        uint32 // wraps around

	Threads uint32 // known only from a list of the whole machine, see [Node]
	Handles uint32

	Known ProcessFields
}

// Has reports whether all of these fields are known.
func (p *Process) Has(f ProcessFields) bool { return p.Known&f == f }

// MarshalJSON returns the process with keys in snake_case that name the unit. An unknown field has no key.
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

func (p *Process) setHandles(n uint32, err error) {
	if err == nil {
		p.Handles = n
		p.Known |= KnownHandles
	}
}

func (p *Process) setTimes(t jobobject.ProcessTimes) {
	p.Created, p.User, p.Kernel = t.Created, t.User, t.Kernel
	p.Known |= KnownTimes
}

// facts are the fields of a process that never change.
type facts struct {
	image  string
	parent uint32
	known  ProcessFields
}

// queryFacts queries the facts.
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

// process queries one process. Each field fails alone. ok is false if the process has exited.
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
	if x.facts == nil {
		x.facts = x.queryFacts()
	}
	p.Image, p.Parent = x.facts.image, x.facts.parent
	p.Known |= x.facts.known
	return p, true
}

// processes queries every member once.
func (m *members) processes() []Process {
	list := make([]Process, 0, len(m.open)+len(m.denied))
	left := m.open[:0]
	for _, x := range m.open {
		p, ok := x.process()
		if !ok {
			closeMember(x)
			continue
		}
		if m.countHandles {
			p.setHandles(x.Handles())
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
