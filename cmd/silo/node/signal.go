package node

import (
	"errors"

	"github.com/siloshim/siloshim/jobobject"
)

// Signal raises a console control event in the process pid of the job called name. A non-member is
// [jobobject.ErrNotExist].
func Signal(k jobobject.Kernel, name string, pid uint32, event jobobject.ConsoleEvent) error {
	return withMember(k, name, pid, func(m *jobobject.Member) error { return m.Signal(event) })
}

// Terminate ends one member of the job called name, with code. A non-member is [jobobject.ErrNotExist].
func Terminate(k jobobject.Kernel, name string, pid, code uint32) error {
	return withMember(k, name, pid, func(m *jobobject.Member) error { return m.Terminate(code) })
}

// withMember opens the process pid of the job called name for one call.
func withMember(k jobobject.Kernel, name string, pid uint32, call func(*jobobject.Member) error) (err error) {
	job, err := jobobject.Open(name, jobobject.OpenOptions{Kernel: k})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	m, err := job.Member(pid)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return call(m)
}
