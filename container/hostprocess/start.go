package hostprocess

import (
	"errors"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/jobobject"
)

// start starts a process in the job. If the container ended meanwhile, after its job was emptied, start terminates the
// process. If the container was paused meanwhile, start suspends the process.
func (j *Container) start(o jobobject.ProcessOptions) (*jobobject.Process, error) {
	if j.hasEnded() {
		return nil, errEnded
	}
	o.Token = j.token.Handle()
	if o.Console == nil {
		o.ConsoleOf = j.sharedConsole()
	}
	p, err := j.job.Start(o)
	if err != nil {
		return nil, err
	}
	if j.hasEnded() {
		return nil, errors.Join(errEnded, p.Terminate(container.Killed), p.Close())
	}
	if err := j.pauser.suspendNew(); err != nil {
		return nil, errors.Join(fmt.Errorf("suspend it in a paused container: %w", err), p.Terminate(container.Killed), p.Close())
	}
	j.setInit(p, o.Console != nil)
	return p, nil
}

// sharedConsole returns the process whose console a new one shares, or nil. The console host of a paused container does
// not answer.
func (j *Container) sharedConsole() *jobobject.Process {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !isRunning(j.init) || j.pauser.paused() {
		return nil
	}
	return j.console
}

// setInit makes p the init process, unless there is one that runs: silo starts another one after its exit.
func (j *Container) setInit(p *jobobject.Process, terminal bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if isRunning(j.init) {
		return
	}
	j.init, j.console = p, p
	if terminal {
		j.console = nil
	}
}

func isRunning(p *jobobject.Process) bool {
	if p == nil {
		return false
	}
	select {
	case <-p.Exited():
		return false
	default:
		return true
	}
}

var errEnded = fmt.Errorf("the container has ended: %w", errdefs.ErrFailedPrecondition)

func (j *Container) hasEnded() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ended
}
