package stats

import (
	"errors"
	"slices"

	"github.com/siloshim/siloshim/jobobject"
)

// members are the processes of one job, opened. Between samples it keeps the handles, which is what makes the next
// sample cheap: a pid cannot go to another process while its handle is open, and a process never leaves its job, so
// what was checked when the handle was opened stays true.
//
// It is used by one goroutine at a time.
type members struct {
	keep bool // handles stay open between samples

	open []member // by pid
	// seen is what the job counted some time before the pids were listed; while it counts the same, open is complete.
	seen generation
	// known is true while seen holds: all that was listed has been opened.
	known bool
	// denied are the members that may not be opened.
	denied []uint32
	denial error // of one of them

	pids []uint32 // room for the kernel's list
	next []member // room for the list after this one
}

// member is an open process with what can never change about it.
type member struct {
	*jobobject.Member
	facts *facts // nil until asked for
}

// generation is the pair of counts that tells one membership from the next. Total grows with every birth and never
// shrinks, so two equal pairs have no birth between them and hence no death.
type generation struct{ total, active uint32 }

// refresh makes open the members of the job. now is what the job counts; nil, when it refuses to, lists every time.
func (m *members) refresh(job *jobobject.Job, now *generation) error {
	if m.known && now != nil && *now == m.seen {
		return nil
	}
	m.known = false
	if now != nil {
		// A quarter to spare, as births go on while we ask.
		m.pids = slices.Grow(m.pids[:0], int(now.active)+int(now.active)/4+4)
	}
	pids, err := job.AppendPids(m.pids[:0])
	m.pids = pids
	if err != nil {
		m.closeAll()
		return err
	}
	slices.Sort(pids)
	// Older counts than the list serve as well: should the job count the same again, nothing was born or died since.
	if now != nil {
		m.seen = *now
	}
	m.known = m.reconcile(job, pids)
	return nil
}

// reconcile opens the listed processes that are not open and closes the open ones that are not listed. It tells
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
		// One that is gone, or whose pid is a stranger's now, counts nothing.
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

// settle ends a round of questions: without keep nothing stays open.
func (m *members) settle() {
	if !m.keep {
		m.closeAll()
	}
}

// memorySum is the memory of all members.
type memorySum struct {
	commit, working, private uint64
	read                     uint32 // members that answered
	unreadable               uint32 // members that may not be asked
	derived                  bool   // private has parts that are an upper bound
	err                      error  // why, for one that is unreadable
}

// memory asks every member once. One that has ended meanwhile counts nothing and is closed, so that the kernel can
// forget it.
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
		// What is resident and private is at most either.
		private = min(m.WorkingSet, m.Commit)
		s.derived = true
	}
	s.private = addCounts(s.private, private)
}

// over tells whether the process is known to have ended.
func (x member) exited() bool {
	ended, err := x.Exited()
	return err == nil && ended
}

// drop closes everything.
func (m *members) closeAll() {
	for _, x := range m.open {
		closeMember(x)
	}
	clear(m.open)
	m.open, m.denied, m.known = m.open[:0], m.denied[:0], false
}

// shut closes a handle that was opened for questions only; nothing depends on its success.
func closeMember(x member) { _ = x.Close() }
