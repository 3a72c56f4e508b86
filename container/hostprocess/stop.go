package hostprocess

import (
	"context"
	"errors"
	"strings"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/jobobject"
)

// Stop raises the console control event of a signal in every member and returns once the job is empty, or with ctx.
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
		err := j.raise(pid, event)
		reached = reached || err == nil
		if err != nil && !errors.Is(err, jobobject.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if reached {
		_ = j.job.WaitEmpty(ctx) // what has not ended then will be terminated
	}
	return errclass.Add(errors.Join(errs...))
}

// consoleHost is the image of the process that Windows starts for the console of others, and which becomes a member of
// their job. It is no program of the container, has no handler, and takes those on its console with it: they would not
// get to handle their event.
const consoleHost = "conhost.exe"

// raise raises an event in a member. A console host is passed over as if it had ended, which it does with the last
// program on its console.
func (j *Container) raise(pid uint32, event jobobject.ConsoleEvent) error {
	m, err := j.job.Member(pid)
	if err != nil {
		return err
	}
	defer m.Close() //nolint:errcheck // it was opened for one call
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
