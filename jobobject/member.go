package jobobject

import (
	"errors"
	"fmt"
)

// Member is a process of a job, opened for questions only. While it is open its
// pid cannot go to another process, so a list of the job that has the pid means
// this very process. It keeps neither the process nor the job alive, but what
// the kernel remembers of an ended process stays until Close. All methods are
// safe for concurrent use, also with Close: they then say [ErrClosed].
type Member struct {
	// Immutable after Job.Member.
	handle *handle
}

// Member opens the process with this pid if it is a member now. A pid that is not
// in use, or that has gone to a process outside of the job, is [ErrNotExist]; a
// member that may not be asked is [ErrPermission].
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess
func (j *Job) Member(pid uint32) (*Member, error) {
	return lend(j.handle, "open member of job", func(k Kernel, job Handle) (*Member, error) {
		process, err := openMember(k, job, pid, ProcessQueryLimited)
		if err != nil {
			return nil, err
		}
		h := newHandle(k, process, j.name)
		h.pid = pid
		return &Member{h}, nil
	})
}

// SignalMember raises a console control event in the process with this pid, as
// [Process.Signal] does, if it is a member now. One that is not, or that has
// ended, is [ErrNotExist]; one that may not be touched is [ErrPermission].
func (j *Job) SignalMember(pid uint32, event ConsoleEvent) error {
	return j.handle.do("signal member of job", func(k Kernel, job Handle) error {
		h, err := openMember(k, job, pid, ProcessSignal)
		if err != nil {
			return err
		}
		err = k.SignalProcess(h, event)
		if err != nil && ended(k, h) {
			err = ErrNotExist
		}
		if err != nil {
			err = fmt.Errorf("process %d: %w", pid, err)
		}
		return errors.Join(err, k.CloseHandle(h))
	})
}

// openMember opens the process with this pid if it is a member now.
func openMember(k Kernel, job Handle, pid uint32, access ProcessAccess) (Handle, error) {
	h, err := k.OpenProcess(pid, access)
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	// The handle is checked, not the pid, which another process may have by now.
	in, err := k.IsProcessInJob(h, job)
	if err == nil && in {
		return h, nil
	}
	if err == nil || ended(k, h) {
		err = ErrNotExist
	}
	return 0, errors.Join(fmt.Errorf("process %d: %w", pid, err), k.CloseHandle(h))
}

// ended tells whether the process is known to have ended.
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

// Parent is the pid of the creator, which may meanwhile be that of another process.
func (m *Member) Parent() (uint32, error) {
	return lend(m.handle, "query parent of process of job", Kernel.ProcessParent)
}

// Handles counts the open handles.
func (m *Member) Handles() (uint32, error) {
	return lend(m.handle, "query handles of process of job", Kernel.ProcessHandles)
}

// Exited tells whether the process has ended.
func (m *Member) Exited() (bool, error) {
	return lend(m.handle, "query exit of process of job", func(k Kernel, h Handle) (bool, error) {
		_, exited, err := k.ExitCode(h)
		return exited, err
	})
}

// Close gives up the process without ending it. Further calls do nothing.
func (m *Member) Close() error {
	_, err := m.handle.close()
	return m.handle.fail("close member of job", err)
}

// SystemProcesses lists every process of the machine that k runs, in one call.
// A nil k is [System]. It is for looking at many jobs at once; for one job ask
// its members.
func SystemProcesses(k Kernel, list []SystemProcess) ([]SystemProcess, error) {
	list, err := kernelOr(k).SystemProcesses(list)
	return list, fail("list processes of the machine", "", err)
}
