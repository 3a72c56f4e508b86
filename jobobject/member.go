package jobobject

import (
	"errors"
	"fmt"
	"slices"
)

// Member is a process of a job, opened for questions only. While it is open its
// pid cannot go to another process, so a list of the job that has the pid means
// this very process. It keeps neither the process nor the job alive, but what
// the kernel remembers of an ended process stays until Close. All methods are
// safe for concurrent use, also with Close: they then say [ErrClosed].
type Member struct {
	// Immutable after Job.Member.
	job    string
	kernel Kernel
	handle *handle
	pid    uint32
}

// Member opens the process with this pid if it is a member now. A pid that is not
// in use, or that has gone to a process outside of the job, is [ErrNotExist]; a
// member that may not be asked is [ErrPermission].
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess
func (j *Job) Member(pid uint32) (*Member, error) {
	h, err := j.openMember(pid, ProcessQueryLimited)
	if err != nil {
		return nil, fail("open member of job", j.name, err)
	}
	give := func() error { return j.kernel.CloseHandle(h) }
	return &Member{job: j.name, kernel: j.kernel, handle: newHandle(h, give), pid: pid}, nil
}

// SignalMember raises a console control event in the process with this pid, as
// [Process.Signal] does, if it is a member now. One that is not, or that has
// ended, is [ErrNotExist]; one that may not be touched is [ErrPermission].
func (j *Job) SignalMember(pid uint32, event ConsoleEvent) error {
	const op = "signal member of job"
	h, err := j.openMember(pid, ProcessSignal)
	if err != nil {
		return fail(op, j.name, err)
	}
	err = j.kernel.SignalProcess(h, event)
	if err != nil && ended(j.kernel, h) {
		err = ErrNotExist
	}
	if err != nil {
		err = fmt.Errorf("process %d: %w", pid, err)
	}
	return fail(op, j.name, errors.Join(err, j.kernel.CloseHandle(h)))
}

// openMember opens the process with this pid if it is a member now.
func (j *Job) openMember(pid uint32, access ProcessAccess) (Handle, error) {
	job, err := j.handle.acquire()
	if err != nil {
		return 0, err
	}
	defer j.handle.release()
	h, err := j.kernel.OpenProcess(pid, access)
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	// Asked of the handle, not of the pid, so a reused pid cannot slip in after.
	in, err := j.kernel.IsProcessInJob(h, job)
	if err == nil && in {
		return h, nil
	}
	if err == nil || ended(j.kernel, h) {
		err = ErrNotExist
	}
	return 0, errors.Join(fmt.Errorf("process %d: %w", pid, err), j.kernel.CloseHandle(h))
}

// ended tells whether the process is known to be over.
func ended(k Kernel, h Handle) bool {
	_, exited, err := k.ExitCode(h)
	return err == nil && exited
}

// AppendPids appends the members to pids, nested jobs included, in the kernel's
// order. It asks once if the capacity of pids suffices and the job does not
// outgrow it meanwhile, and then allocates nothing.
func (j *Job) AppendPids(pids []uint32) ([]uint32, error) {
	const op = "list processes of job"
	h, err := j.handle.acquire()
	if err != nil {
		return pids, fail(op, j.name, err)
	}
	defer j.handle.release()
	have := len(pids)
	if cap(pids) == have {
		pids = slices.Grow(pids, firstRoom) // an answer without room for one pid is an error
	}
	for {
		listed, assigned, err := j.kernel.ProcessIDs(h, pids[have:cap(pids)])
		if err != nil {
			return pids[:have], fail(op, j.name, err)
		}
		if assigned <= cap(pids)-have {
			return pids[:have+listed], nil
		}
		pids = slices.Grow(pids[:have], assigned+assigned/4+8)
	}
}

// Pid is the process id.
func (m *Member) Pid() uint32 { return m.pid }

// Memory reads the memory counters, all zero once the process has ended.
func (m *Member) Memory() (ProcessMemory, error) {
	return queryMember(m, "query memory of process of job", Kernel.ProcessMemory)
}

// Times reads the moment of creation and the processor time.
func (m *Member) Times() (ProcessTimes, error) {
	return queryMember(m, "query times of process of job", Kernel.ProcessTimes)
}

// Image is the name of the image without its directory.
func (m *Member) Image() (string, error) {
	return queryMember(m, "query image of process of job", Kernel.ProcessImage)
}

// Parent is the pid of the creator, which may meanwhile be that of another process.
func (m *Member) Parent() (uint32, error) {
	return queryMember(m, "query parent of process of job", Kernel.ProcessParent)
}

// Handles counts the open handles.
func (m *Member) Handles() (uint32, error) {
	return queryMember(m, "query handles of process of job", Kernel.ProcessHandles)
}

// Exited tells whether the process has ended.
func (m *Member) Exited() (bool, error) {
	return queryMember(m, "query exit of process of job", func(k Kernel, h Handle) (bool, error) {
		_, exited, err := k.ExitCode(h)
		return exited, err
	})
}

// Close gives up the process without ending it. Further calls do nothing.
func (m *Member) Close() error {
	_, err := m.handle.close()
	return fail("close member of job", m.job, err)
}

// queryMember puts one of the kernel's questions about m.
func queryMember[T any](m *Member, op string, ask func(Kernel, Handle) (T, error)) (T, error) {
	v, err := answer(m.handle, m.kernel, ask)
	if err != nil {
		err = fmt.Errorf("process %d: %w", m.pid, err)
	}
	return v, fail(op, m.job, err)
}

// count puts one of the kernel's questions about j.
func count[T any](j *Job, op string, ask func(Kernel, Handle) (T, error)) (T, error) {
	v, err := answer(j.handle, j.kernel, ask)
	return v, fail(op, j.name, err)
}

// answer lends a handle to a question. That comes as a method expression, because
// a method value of an interface is an allocation. A question that failed has no
// answer, whatever the kernel wrote before it gave up.
func answer[T any](h *handle, k Kernel, ask func(Kernel, Handle) (T, error)) (T, error) {
	var zero T
	open, err := h.acquire()
	if err != nil {
		return zero, err
	}
	defer h.release()
	v, err := ask(k, open)
	if err != nil {
		return zero, err
	}
	return v, nil
}

// SystemProcesses lists every process of the machine that k runs, in one call.
// A nil k is [System]. It is for looking at many jobs at once; for one job ask
// its members.
func SystemProcesses(k Kernel, list []SystemProcess) ([]SystemProcess, error) {
	list, err := kernelOr(k).SystemProcesses(list)
	return list, fail("list processes of the machine", "", err)
}
