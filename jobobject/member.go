package jobobject

import (
	"errors"
	"fmt"
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
			h := newHandle(k, process, j.name)
			h.pid = pid
			return &Member{h}, nil
		}
		if err == nil || ended(k, process) {
			err = ErrNotExist
		}
		return nil, errors.Join(fmt.Errorf("process %d: %w", pid, err), k.CloseHandle(process))
	})
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
