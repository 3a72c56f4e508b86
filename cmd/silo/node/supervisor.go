package node

import (
	"errors"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

func (r Records) kernel() jobobject.Kernel {
	if r.Kernel == nil {
		return jobobject.System()
	}
	return r.Kernel
}

// Supervised reports whether the supervisor of a record may be alive. A later process with its pid is not the supervisor:
// it was created at another time, or after the container.
func (r Records) Supervised(rec *Record) bool {
	if rec.Supervisor == 0 {
		return false
	}
	at, err := created(r.kernel(), rec.Supervisor)
	switch {
	case err != nil:
		return !errors.Is(err, jobobject.ErrNotExist) // it cannot be queried, and may be the supervisor
	case !rec.SupervisorCreated.IsZero():
		return at.Equal(rec.SupervisorCreated)
	}
	return !at.After(rec.Started)
}

// created returns when a process was created, or [jobobject.ErrNotExist] if it has exited.
func created(k jobobject.Kernel, pid uint32) (at time.Time, err error) {
	h, err := k.OpenProcess(pid, jobobject.ProcessQueryLimited)
	if err != nil {
		return at, err
	}
	defer func() { err = errors.Join(err, k.CloseHandle(h)) }()
	_, exited, err := k.ExitCode(h)
	if err == nil && exited {
		err = jobobject.ErrNotExist
	}
	if err != nil {
		return at, err
	}
	times, err := k.ProcessTimes(h)
	return times.Created, err
}
