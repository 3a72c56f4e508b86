package hostprocess

import (
	"context"
	"errors"
	"strings"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/jobobject"
)

// Stop implements [container.Container]: it sends the console control event of a signal to every member.
func (j *Container) Stop(ctx context.Context, sig uint32) error {
	event, err := container.ConsoleEvent(sig)
	if err != nil {
		return err
	}
	j.mu.Lock()
	j.ended = true
	j.mu.Unlock()
	pids, err := j.job.Pids()
	if err != nil {
		return errclass.Add(err)
	}
	var errs []error
	reached := false
	for _, pid := range pids {
		err := SignalMember(j.job, pid, event)
		reached = reached || err == nil
		if err != nil && !errors.Is(err, jobobject.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if reached {
		_ = j.job.WaitEmpty(ctx) // the caller terminates those that are left
	}
	return errclass.Add(errors.Join(errs...))
}

// consoleHost is the image of the process that Windows starts for a console. It becomes a member of the job, but it has
// no handler for events. Its exit would end the programs on its console before they handle theirs.
const consoleHost = "conhost.exe"

// SignalMember sends an event to a member of a job. It returns [jobobject.ErrNotExist] for a member that has exited, and for
// a console host, which exits with the last program on its console.
func SignalMember(job *jobobject.Job, pid uint32, event jobobject.ConsoleEvent) (err error) {
	m, err := job.Member(pid)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	image, err := m.Image()
	if err != nil {
		return err
	}
	if strings.EqualFold(image, consoleHost) {
		return jobobject.ErrNotExist
	}
	if err := m.Signal(event); !errors.Is(err, jobobject.ErrExited) {
		return err
	}
	return jobobject.ErrNotExist
}
