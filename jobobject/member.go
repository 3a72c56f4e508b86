package jobobject

import (
	"errors"
	"fmt"
	"slices"
)

// Member is a process of a job that was opened by its pid. While it is open no other
// process gets its pid, so every call reaches this process, and a list of the job
// that has the pid means it. An open Member keeps neither the process nor the job
// alive. What the kernel knows of an ended process stays until Close. All methods
// are safe for concurrent use. After Close they return [ErrClosed].
type Member struct {
	// Immutable after Job.Member.
	handle *handle
}

// Member opens the process with this pid if it is a member now. A pid that is not
// in use, or is that of a non-member, is [ErrNotExist]. A member that may not be
// queried is [ErrPermission].
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess
func (j *Job) Member(pid uint32) (*Member, error) {
	return lend(j.handle, "open member of job", func(k Kernel, job Handle) (*Member, error) {
		process, err := k.OpenProcess(pid, ProcessQueryLimited)
		if err != nil {
			return nil, fmt.Errorf("process %d: %w", pid, err)
		}
		// The handle is checked, not the pid, which another process may have by now.
		in, err := k.IsProcessInJob(process, job)
		if err == nil && in {
			return &Member{newHandle(k, process, j.name, pid, k.CloseHandle)}, nil
		}
		if err == nil || ended(k, process) {
			err = ErrNotExist
		}
		return nil, errors.Join(fmt.Errorf("process %d: %w", pid, err), k.CloseHandle(process))
	})
}

// ended reports whether the process is known to have ended.
func ended(k Kernel, h Handle) bool {
	_, exited, err := k.ExitCode(h)
	return err == nil && exited
}

// Pid is the process id.
func (m *Member) Pid() uint32 { return m.handle.pid }

// Memory reads the memory counters, all zero once the process has ended.
func (m *Member) Memory() (ProcessMemory, error) {
	return lend(m.handle, "query memory of process of job", Kernel.ProcessMemory)
}

// Times reads the moment of creation and the processor time.
func (m *Member) Times() (ProcessTimes, error) {
	return lend(m.handle, "query times of process of job", Kernel.ProcessTimes)
}

// Image is the name of the image without its directory.
func (m *Member) Image() (string, error) {
	return lend(m.handle, "query image of process of job", Kernel.ProcessImage)
}

// Parent is the pid of the process that started this one. Another process may have
// that pid by now.
func (m *Member) Parent() (uint32, error) {
	return lend(m.handle, "query parent of process of job", Kernel.ProcessParent)
}

// Handles counts the open handles.
func (m *Member) Handles() (uint32, error) {
	return lend(m.handle, "query handles of process of job", Kernel.ProcessHandles)
}

// Exited reports whether the process has ended.
func (m *Member) Exited() (bool, error) {
	return lend(m.handle, "query exit of process of job", func(k Kernel, h Handle) (bool, error) {
		_, exited, err := k.ExitCode(h)
		return exited, err
	})
}

// Signal raises event in the process and in no other, as [Process.Signal] does. A
// process that has ended is [ErrExited]; one that may not be signalled is
// [ErrPermission].
func (m *Member) Signal(event ConsoleEvent) error {
	return m.act("signal process of job", ProcessSignal, func(k Kernel, process Handle) error {
		return k.SignalProcess(process, event)
	})
}

// Terminate ends the process with exit code code, without its consent. A process
// that has ended is no error; one that may not be terminated is [ErrPermission].
func (m *Member) Terminate(code uint32) error {
	err := m.act("terminate process of job", ProcessTerminate, func(k Kernel, process Handle) error {
		return k.TerminateProcess(process, code)
	})
	if errors.Is(err, ErrExited) {
		return nil
	}
	return err
}

// act opens the process for one call that needs access. The pid means this process
// because its first handle stays open meanwhile.
func (m *Member) act(op string, access ProcessAccess, call func(k Kernel, process Handle) error) error {
	return m.handle.do(op, func(k Kernel, checked Handle) error {
		process, err := k.OpenProcess(m.Pid(), access)
		if err == nil {
			err = errors.Join(call(k, process), k.CloseHandle(process))
		}
		if err != nil && ended(k, checked) {
			return ErrExited
		}
		return err
	})
}

// Close closes the handle and does not end the process. Further calls do nothing.
func (m *Member) Close() error {
	_, err := m.handle.Close()
	return m.handle.fail("close member of job", err)
}

// SystemProcesses appends every process of the machine to list, with one call of k; a
// nil k is [System]. It costs what the whole machine runs: for the processes of one
// job use [Job.Member].
func SystemProcesses(k Kernel, list []SystemProcess) ([]SystemProcess, error) {
	list, err := kernelOr(k).SystemProcesses(list)
	return list, fail("list processes of the machine", "", err)
}

// firstRoom is the number of members that the first list has room for.
const firstRoom = 64

// Pids lists the members, nested jobs included, in the kernel's order.
func (j *Job) Pids() ([]uint32, error) { return j.AppendPids(nil) }

// AppendPids appends the members to pids, nested jobs included, in the kernel's
// order. It needs one kernel call, and allocates nothing, if the capacity of pids
// suffices.
func (j *Job) AppendPids(pids []uint32) ([]uint32, error) {
	all, err := lend(j.handle, "list processes of job", func(k Kernel, h Handle) ([]uint32, error) { return appendPids(k, h, pids) })
	if err != nil {
		return pids, err
	}
	return all, nil
}

// appendPids repeats the call with a larger list while the list does not fit:
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
// an error, not a smaller sum. Kernels that do not count it return [ErrNotSupported].
func (j *Job) PrivateWorkingSet() (uint64, error) {
	pids, err := j.Pids()
	if err != nil {
		return 0, err
	}
	var sum uint64
	for _, pid := range pids {
		n, err := j.privateWorkingSetOf(pid)
		if err == nil || errors.Is(err, ErrNotExist) {
			sum += n
			continue
		}
		// Only a process that is still a member makes the sum wrong.
		if left, lerr := j.Pids(); lerr != nil || slices.Contains(left, pid) {
			return 0, j.handle.fail("query private working set of job", err)
		}
	}
	return sum, nil
}

func (j *Job) privateWorkingSetOf(pid uint32) (uint64, error) {
	m, err := j.Member(pid)
	if err != nil {
		return 0, err
	}
	defer m.Close() //nolint:errcheck // it was opened for one query
	memory, err := m.Memory()
	switch {
	case err != nil:
		if ended, xerr := m.Exited(); xerr == nil && ended {
			err = nil
		}
	case !memory.PrivateKnown && memory.WorkingSet > 0:
		err = ErrNotSupported
	}
	return memory.PrivateWorkingSet, err
}
