package jobtest

import (
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// Place puts a process into the job of that name, or into none where it is empty.
// It runs no program and has no files: it is there, with the figures of a new
// process, until something ends it. That makes it cheap. The kernel's clock moves
// by its smallest step, so that no two have the same moment of creation.
func (k *Kernel) Place(job, image string, parent uint32) (*Proc, error) {
	p := &Proc{
		Args: []string{image}, kernel: k, parent: parent, files: [3]*stream{{}, {}, {}},
		done: make(chan struct{}), exited: make(chan struct{}), events: make(chan jobobject.ConsoleEvent, 1),
		commit: startCommit, working: startWorkingSet,
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(100 * time.Nanosecond)
	p.pid, p.born = k.newPidLocked(), k.now
	if job != "" {
		j := k.named[nameKey(job)]
		if j == nil {
			return nil, jobobject.ErrNotExist
		}
		if err := j.admitLocked(p); err != nil {
			return nil, err
		}
	}
	k.procs[p.pid] = p
	return p, nil
}

// Exit ends the process with code, as its own last act. One that is ending
// already is left alone.
func (p *Proc) Exit(code uint32) { p.kernel.end(p, code, (*Proc).abandonFiles) }
