package stats

import (
	"errors"
	"slices"

	"github.com/siloshim/siloshim/jobobject"
)

// members are the processes of one job, opened. A handle that is kept between samples need not be checked again: its
// pid is not reused while the handle is open, and a process never leaves its job.
// https://devblogs.microsoft.com/oldnewthing/20110107-00/?p=11803
//
// It is used by one goroutine at a time.
type members struct {
	keep         bool // handles stay open between samples
	countHandles bool // a list has how many handles each member has open

	open []member // by pid
	// seen is what the job counted before the pids were listed. While the job counts the same, open is complete.
	seen generation
	// complete is true if every member that was listed has been opened.
	complete bool
	// denied are the members that may not be opened.
	denied []uint32
	denial error // of one of them

	pids []uint32 // buffer for the kernel's list
	next []member // buffer for reconcile
}

// member is an open process with what never changes about it.
type member struct {
	*jobobject.Member
	facts *facts // nil until queried
}

// generation is the pair of counts that identifies a membership. total grows with every process that joins and never
// shrinks, so between two equal pairs none has joined, and hence none has exited.
type generation struct{ total, active uint32 }

// refresh makes open the members of the job. now is what the job counts, or nil. The members are listed unless the job
// counts the same as before; relist lists them always, for a job that may be another one of the same name.
func (m *members) refresh(job *jobobject.Job, now *generation, relist bool) error {
	if m.complete && now != nil && *now == m.seen && !relist {
		return nil
	}
	m.complete = false
	if now != nil {
		// A quarter to spare: processes may join before the list is made.
		m.pids = slices.Grow(m.pids[:0], int(now.active)+int(now.active)/4+4)
	}
	pids, err := job.AppendPids(m.pids[:0])
	m.pids = pids
	if err != nil {
		m.closeAll()
		return err
	}
	slices.Sort(pids)
	// The counts may be older than the list: if the job counts the same again, the list has not changed in between.
	if now != nil {
		m.seen = *now
	}
	m.complete = m.reconcile(job, pids)
	return nil
}

// reconcile opens the listed processes that are not open and closes the open ones that are not listed. It reports
// whether all that was listed is open now.
func (m *members) reconcile(job *jobobject.Job, pids []uint32) (complete bool) {
	complete, m.denied, m.denial = true, m.denied[:0], nil
	next, old := m.next[:0], m.open
	for _, pid := range slices.Compact(pids) {
		for len(old) > 0 && old[0].Pid() < pid {
			closeMember(old[0])
			old = old[1:]
		}
		if len(old) > 0 && old[0].Pid() == pid {
			next = append(next, old[0])
			old = old[1:]
			continue
		}
		opened, err := job.Member(pid)
		if err == nil {
			next = append(next, member{Member: opened})
			continue
		}
		complete = false
		// A process that has exited, or whose pid a non-member has now, is no member.
		if !errors.Is(err, jobobject.ErrNotExist) {
			m.denied = append(m.denied, pid)
			m.denial = err
		}
	}
	for _, gone := range old {
		closeMember(gone)
	}
	clear(m.open)
	m.open, m.next = next, m.open[:0]
	return complete
}

// memorySum is the memory of all members.
type memorySum struct {
	commit, working, private uint64
	read                     uint32 // members that were queried
	unreadable               uint32 // members that could not be
	derived                  bool   // private has parts that are an upper bound
	err                      error  // the reason of one that is unreadable
}

// memory queries every member once. A member that has exited meanwhile counts nothing and is closed, so that the kernel
// can free it.
func (m *members) memory() memorySum {
	sum := memorySum{unreadable: uint32(len(m.denied)), err: m.denial}
	left := m.open[:0]
	for _, x := range m.open {
		now, err := x.Memory()
		if (err != nil || now.WorkingSet == 0 && now.PrivateWorkingSet == 0) && x.exited() {
			closeMember(x)
			continue
		}
		left = append(left, x)
		if err != nil {
			sum.unreadable++
			sum.err = err
			continue
		}
		sum.add(now)
	}
	clear(m.open[len(left):])
	m.open = left
	return sum
}

func (s *memorySum) add(m jobobject.ProcessMemory) {
	s.read++
	s.commit = addCounts(s.commit, m.Commit)
	s.working = addCounts(s.working, m.WorkingSet)
	private := m.PrivateWorkingSet
	if !m.PrivateKnown {
		// The private working set is at most either.
		private = min(m.WorkingSet, m.Commit)
		s.derived = true
	}
	s.private = addCounts(s.private, private)
}

// exited reports whether the process is known to have exited.
func (x member) exited() bool {
	ended, err := x.Exited()
	return err == nil && ended
}

// closeAll closes every member.
func (m *members) closeAll() {
	for _, x := range m.open {
		closeMember(x)
	}
	clear(m.open)
	m.open, m.denied, m.complete = m.open[:0], m.denied[:0], false
}

// closeMember closes a handle that was opened for queries only; nothing depends on its success.
func closeMember(x member) { _ = x.Close() }
