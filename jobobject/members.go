package jobobject

import (
	"fmt"
	"slices"
)

// firstRoom is the number of members that the first question has room for.
const firstRoom = 64

// Pids lists the members, nested jobs included, in the kernel's order.
func (j *Job) Pids() ([]uint32, error) {
	return query(j, "list processes of job", j.pids)
}

// pids asks again with more room for as long as the job outgrows the answer:
// members can be born between the two questions.
func (j *Job) pids(h Handle) ([]uint32, error) {
	for room := firstRoom; ; {
		buf := make([]uint32, room)
		listed, assigned, err := j.kernel.ProcessIDs(h, buf)
		if err != nil {
			return nil, err
		}
		if assigned <= room {
			return buf[:listed], nil
		}
		room = assigned + assigned/4 + 8
	}
}

// PrivateWorkingSet adds up the private resident memory of the members, in
// bytes. A member that leaves meanwhile, or whose pid went to a stranger, counts
// nothing; a member that cannot be read is an error, not a smaller sum. Kernels
// without the figure say [ErrNotSupported].
func (j *Job) PrivateWorkingSet() (uint64, error) {
	return query(j, "query private working set of job", j.privateWorkingSet)
}

func (j *Job) privateWorkingSet(h Handle) (uint64, error) {
	pids, err := j.pids(h)
	if err != nil {
		return 0, fmt.Errorf("list processes: %w", err)
	}
	var sum uint64
	for _, pid := range pids {
		n, err := j.privateWorkingSetOf(h, pid)
		if err == nil {
			sum += n
			continue
		}
		// Only a process that is still a member makes the sum wrong.
		left, lerr := j.pids(h)
		if lerr != nil {
			return 0, fmt.Errorf("list processes: %w", lerr)
		}
		if slices.Contains(left, pid) {
			return 0, fmt.Errorf("process %d: %w", pid, err)
		}
	}
	return sum, nil
}

func (j *Job) privateWorkingSetOf(job Handle, pid uint32) (uint64, error) {
	p, err := j.kernel.OpenProcess(pid, ProcessQueryLimited)
	if err != nil {
		return 0, err
	}
	defer j.kernel.CloseHandle(p) //nolint:errcheck // a handle opened three lines up closes
	// Asked of the handle, not of the pid, so a reused pid cannot slip in after.
	member, err := j.kernel.IsProcessInJob(p, job)
	if err != nil || !member {
		return 0, err
	}
	m, err := j.kernel.ProcessMemory(p)
	if err != nil {
		if _, exited, xerr := j.kernel.ExitCode(p); xerr == nil && exited {
			return 0, nil
		}
		return 0, err
	}
	if !m.PrivateKnown && m.WorkingSet > 0 {
		return 0, ErrNotSupported
	}
	return m.PrivateWorkingSet, nil
}
