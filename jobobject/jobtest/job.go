package jobtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// job is a job object. Its members are also members of every job above it.
type job struct {
	name    string
	handles int
	parent  *job
	members []*Proc // in order of joining
	port    *port
	key     uintptr
	limits  jobobject.Limits
	trackIO bool
	ioBase  jobobject.IOAttribution // what had been used when trackIO went on
	thaw    chan struct{}           // nil unless frozen; closed by the thaw
	silo    *silo                   // nil for most
	notify  notifications

	timeBase       time.Duration // user time when JobUserTime was set
	total, refused uint32
	peak           uint64
	gone           usage // of the members that ended
	lost           map[jobobject.MessageKind]int
}

// chain calls f for j and every job above it.
func (j *job) chain(f func(*job)) {
	for ; j != nil; j = j.parent {
		f(j)
	}
}

// within reports whether j is outer or nested in it.
func (j *job) within(outer *job) bool {
	found := false
	j.chain(func(x *job) { found = found || x == outer })
	return found
}

func (j *job) postLocked(kind jobobject.MessageKind, pid uint32) {
	if n := j.lost[kind]; n != 0 {
		j.lost[kind] = n - 1
		return
	}
	if j.port != nil && j.port.handles > 0 {
		j.port.postLocked(message{uint32(kind), j.key, pid})
	}
}

// joinLocked makes p a member of j and of the jobs above that it is not in yet.
func (j *job) joinLocked(p *Proc) error {
	switch {
	case p.job != nil && p.job != j && j.limits.UI != 0:
		return fmt.Errorf("job with limits of the user interface cannot be nested: %w", jobobject.ErrPermission)
	case p.job == nil || j.within(p.job):
	case j.parent == nil && len(j.members) == 0 && !p.job.within(j):
		j.parent = p.job
	default:
		return fmt.Errorf("job cannot be nested in that of the process: %w", jobobject.ErrPermission)
	}
	var joins []*job
	full := false
	j.chain(func(x *job) {
		if !slices.Contains(x.members, p) {
			joins = append(joins, x)
			full = full || x.fullLocked()
		}
	})
	if full {
		return ErrQuota
	}
	p.job = j
	for _, x := range joins {
		x.members = append(x.members, p)
		x.total++
		x.postLocked(jobobject.NewProcess, p.pid)
		x.updatePeakLocked()
		x.checkThresholdsLocked(p.pid)
	}
	return nil
}

func (j *job) fullLocked() bool {
	limit := j.limits.ActiveProcesses
	if limit == 0 || len(j.members) < int(limit) {
		return false
	}
	j.refused++
	j.postLocked(jobobject.ActiveProcessLimit, 0)
	return true
}

// leaveLocked takes an ended process out, and keeps what it used.
func (j *job) leaveLocked(p *Proc) {
	j.chain(func(x *job) {
		x.gone.add(p.usage)
		x.members = slices.DeleteFunc(x.members, func(m *Proc) bool { return m == p })
		x.checkThresholdsLocked(p.pid)
		x.postLocked(exitKind(p.code), p.pid)
		if len(x.members) == 0 {
			x.postLocked(jobobject.ActiveProcessZero, 0)
		}
	})
}

// exitKind tells the exits that Windows calls abnormal: by an exception.
func exitKind(code uint32) jobobject.MessageKind {
	if code>>30 == 3 && code != StatusControlCExit {
		return jobobject.AbnormalExit
	}
	return jobobject.ExitProcess
}

// membersToEndLocked returns the members, which start nothing from now on.
func (j *job) membersToEndLocked() []*Proc {
	for _, m := range j.members {
		m.doomed = true
	}
	return slices.Clone(j.members)
}

func (j *job) commitLocked() (sum uint64) {
	for _, m := range j.members {
		sum += m.commit
	}
	return sum
}

func (j *job) updatePeakLocked() { j.peak = max(j.peak, j.commitLocked()) }

// nameKey is the form in which names are compared: object paths, which package
// jobobject opens without regard to case, in one case; Win32 names as they are.
func nameKey(name string) string {
	if strings.HasPrefix(name, `\`) {
		return strings.ToLower(name)
	}
	return name
}

// CreateJob implements [jobobject.Kernel].
func (k *Kernel) CreateJob(name, securityDescriptor string) (jobobject.Handle, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.enterLocked("CreateJob"); err != nil {
		return 0, err
	}
	if securityDescriptor == "" {
		return 0, ErrInvalidParameter
	}
	j := &job{name: name, lost: k.lost}
	k.descriptors = append(k.descriptors, JobDescriptor{name, securityDescriptor})
	if name != "" {
		key := nameKey(name)
		if k.named[key] != nil {
			return 0, jobobject.ErrExist
		}
		k.named[key] = j
	}
	return k.openLocked(j, uint32(jobobject.AccessAll)), nil
}

// JobDescriptor is the security descriptor with which a job was made.
type JobDescriptor struct{ Name, SDDL string }

// JobDescriptors lists those of all jobs so far.
func (k *Kernel) JobDescriptors() []JobDescriptor {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.descriptors)
}

// OpenJob implements [jobobject.Kernel].
func (k *Kernel) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.enterLocked("OpenJob"); err != nil {
		return 0, err
	}
	j := k.named[nameKey(name)]
	if j == nil {
		return 0, jobobject.ErrNotExist
	}
	return k.openLocked(j, uint32(access)), nil
}

// AssignProcess implements [jobobject.Kernel].
func (k *Kernel) AssignProcess(jobHandle, process jobobject.Handle) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := lookLocked[*job](k, "AssignProcess", jobHandle, uint32(jobobject.AccessAssign))
	if err != nil {
		return err
	}
	e := k.handles[process]
	p, ok := e.object.(*Proc)
	if !ok {
		return ErrInvalidHandle
	}
	const access = uint32(jobobject.ProcessSetQuota | jobobject.ProcessTerminate)
	if p.ending || e.access&access != access {
		return jobobject.ErrPermission
	}
	return j.joinLocked(p)
}

// TerminateJob implements [jobobject.Kernel].
func (k *Kernel) TerminateJob(h jobobject.Handle, code uint32) error {
	k.mu.Lock()
	j, err := lookLocked[*job](k, "TerminateJob", h, uint32(jobobject.AccessTerminate))
	if err != nil {
		k.mu.Unlock()
		return err
	}
	victims := j.membersToEndLocked()
	k.mu.Unlock()
	k.kill(victims, code)
	return nil
}

// IsProcessInJob implements [jobobject.Kernel].
func (k *Kernel) IsProcessInJob(process, jobHandle jobobject.Handle) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p, ok := k.handles[process].object.(*Proc); ok && jobHandle == 0 {
		return p.job != nil, k.enterLocked("IsProcessInJob")
	}
	j, err := lookLocked[*job](k, "IsProcessInJob", jobHandle, uint32(jobobject.AccessQuery))
	if err != nil {
		return false, err
	}
	p, ok := k.handles[process].object.(*Proc)
	if !ok {
		return false, ErrInvalidHandle
	}
	return p.job.within(j), nil
}

// ProcessIDs implements [jobobject.Kernel].
func (k *Kernel) ProcessIDs(h jobobject.Handle, pids []uint32) (listed, assigned int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.askLocked("ProcessIDs", h)
	if err != nil {
		return 0, 0, err
	}
	for i := range min(len(pids), len(j.members)) {
		pids[i] = j.members[i].pid
		listed++
	}
	return listed, len(j.members), nil
}

func (k *Kernel) askLocked(op string, h jobobject.Handle) (*job, error) {
	return lookLocked[*job](k, op, h, uint32(jobobject.AccessQuery))
}

// Enclose puts the process that uses the kernel, [Self], into the job with this
// name, as a service manager does with what it starts. Self is no member that the
// job would list or end. It reports whether there is such a job.
func (k *Kernel) Enclose(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.own = k.named[nameKey(name)]
	return k.own != nil
}

// outerJobLocked is the job that a child of Self joins before the one in which it is
// started.
func (k *Kernel) outerJobLocked(breakAway bool) *job {
	// The flag is for jobs that let out who asks, and is left out elsewhere.
	asked := breakAway && k.own != nil && k.own.limits.Breakaway == jobobject.BreakawayOnRequest
	outer, err := k.own.childJobLocked(asked)
	if err != nil {
		return k.own
	}
	return outer
}

// childJobLocked is the job that a child of a member of j joins. A child that asks to
// break away is refused where the job of its parent does not allow it.
func (j *job) childJobLocked(asked bool) (*job, error) {
	may := func(x *job) bool {
		b := x.limits.Breakaway
		return b == jobobject.BreakawayAlways || asked && b == jobobject.BreakawayOnRequest
	}
	if asked && j != nil && !may(j) {
		return nil, jobobject.ErrPermission
	}
	for j != nil && may(j) {
		j = j.parent
	}
	return j, nil
}
