package jobobject

import (
	"fmt"
	"slices"
)

// firstRoom is the number of members that the first list has room for.
const firstRoom = 64

// Pids lists the members, nested jobs included, in the kernel's order.
func (j *Job) Pids() ([]uint32, error) { return j.AppendPids(nil) }

// AppendPids appends the members to pids, nested jobs included, in the kernel's
// order. It asks the kernel once, and allocates nothing, if the capacity of pids
// suffices and the job does not outgrow it meanwhile.
func (j *Job) AppendPids(pids []uint32) ([]uint32, error) {
	all, err := lend(j.handle, "list processes of job", func(k Kernel, h Handle) ([]uint32, error) { return appendPids(k, h, pids) })
	if err != nil {
		return pids, err
	}
	return all, nil
}

// appendPids asks again with more room as long as the job outgrows the answer:
// processes can start between two calls.
func appendPids(k Kernel, job Handle, pids []uint32) ([]uint32, error) {
	have := len(pids)
	if cap(pids) == have {
		pids = slices.Grow(pids, firstRoom) // a list without room for one pid is an error
	}
	for {
		listed, assigned, err := k.ProcessIDs(job, pids[have:cap(pids)])
		if err != nil {
			return nil, err
		}
		if assigned <= cap(pids)-have {
			return pids[:have+listed], nil
		}
		pids = slices.Grow(pids[:have], assigned+assigned/4+8)
	}
}

// PrivateWorkingSet adds up the private resident memory of the members, in
// bytes. A member that ends meanwhile counts as 0. A member that cannot be read is
// an error, not a smaller sum. Kernels that do not tell it return [ErrNotSupported].
func (j *Job) PrivateWorkingSet() (uint64, error) {
	return lend(j.handle, "query private working set of job", privateWorkingSet)
}

func privateWorkingSet(k Kernel, job Handle) (uint64, error) {
	pids, err := appendPids(k, job, nil)
	if err != nil {
		return 0, fmt.Errorf("list processes: %w", err)
	}
	var sum uint64
	for _, pid := range pids {
		n, err := privateWorkingSetOf(k, job, pid)
		if err == nil {
			sum += n
			continue
		}
		// Only a process that is still a member makes the sum wrong.
		left, lerr := appendPids(k, job, nil)
		if lerr != nil {
			return 0, fmt.Errorf("list processes: %w", lerr)
		}
		if slices.Contains(left, pid) {
			return 0, fmt.Errorf("process %d: %w", pid, err)
		}
	}
	return sum, nil
}

func privateWorkingSetOf(k Kernel, job Handle, pid uint32) (uint64, error) {
	p, err := k.OpenProcess(pid, ProcessQueryLimited)
	if err != nil {
		return 0, err
	}
	defer k.CloseHandle(p) //nolint:errcheck // a handle opened three lines up closes
	// The handle is checked, not the pid, which another process may have by now.
	member, err := k.IsProcessInJob(p, job)
	if err != nil || !member {
		return 0, err
	}
	m, err := k.ProcessMemory(p)
	if err != nil {
		if ended(k, p) {
			return 0, nil
		}
		return 0, err
	}
	if !m.PrivateKnown && m.WorkingSet > 0 {
		return 0, ErrNotSupported
	}
	return m.PrivateWorkingSet, nil
}
