package node

import (
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/jobobject"
)

// signalAccess is PROCESS_ALL_ACCESS of winnt.h: what a process may do that starts a thread in another.
//
// https://learn.microsoft.com/windows/win32/procthread/process-security-and-access-rights
const signalAccess = jobobject.ProcessAccess(0x001FFFFF)

// jobAccess is what the check takes that a process belongs to a job.
const jobAccess = jobobject.AccessQuery

// Signal raises a console control event in the process pid of the job called name. A process that is no member any more,
// or never was, is [jobobject.ErrNotExist]: its pid may be a stranger's by now.
func Signal(k jobobject.Kernel, name string, pid, event uint32) error {
	return visit(k, name, pid, signalAccess, func(p jobobject.Handle) error { return k.SignalProcess(p, jobobject.ConsoleEvent(event)) })
}

// Terminate ends one member of the job called name, with code.
func Terminate(k jobobject.Kernel, name string, pid, code uint32) error {
	return visit(k, name, pid, jobobject.ProcessTerminate|jobobject.ProcessQueryLimited, func(p jobobject.Handle) error {
		return k.TerminateProcess(p, code)
	})
}

// visit opens a process and makes sure that it is a member before act may touch it.
func visit(k jobobject.Kernel, name string, pid uint32, access jobobject.ProcessAccess, act func(jobobject.Handle) error) (err error) {
	job, err := k.OpenJob(name, jobAccess)
	if err != nil {
		return fmt.Errorf("open job: %w", err)
	}
	defer func() { err = errors.Join(err, k.CloseHandle(job)) }()
	process, err := k.OpenProcess(pid, access)
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { err = errors.Join(err, k.CloseHandle(process)) }()
	member, err := k.IsProcessInJob(process, job)
	if err != nil {
		return fmt.Errorf("ask for the job of process %d: %w", pid, err)
	}
	if !member {
		return fmt.Errorf("process %d is not in the container: %w", pid, jobobject.ErrNotExist)
	}
	if err := act(process); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	return nil
}
