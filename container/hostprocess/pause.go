package hostprocess

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/internal/deadline"
	"github.com/siloshim/siloshim/jobobject"
)

// suspendTimeout is how long suspendNew may take.
const suspendTimeout = 5 * time.Second

// pauser pauses the members of a job. It freezes the job, or if the kernel refuses that, suspends each member. All
// methods are safe for concurrent use.
type pauser struct {
	// Immutable.
	job     *jobobject.Job
	suspend func(pid uint32) (resume func() error, err error)

	// suspending reports whether members are suspended one by one, so that new ones must be suspended as well.
	suspending atomic.Bool

	frozen atomic.Bool // written with mu locked

	// mu is held during the calls into the kernel, because a pause and a resume must not mix. It guards the field below.
	mu        deadline.Mutex
	suspended map[uint32]suspendedProcess // by pid
}

// suspendedProcess is a suspended member. Its open handle keeps the pid from being reused.
type suspendedProcess struct {
	member *jobobject.Member
	resume func() error
}

func newPauser(job *jobobject.Job, suspend func(uint32) (func() error, error)) *pauser {
	if suspend == nil {
		suspend = suspendProcess
	}
	return &pauser{job: job, suspend: suspend, mu: deadline.NewMutex(), suspended: map[uint32]suspendedProcess{}}
}

// Pause implements [container.Container].
func (j *Container) Pause(ctx context.Context) error { return errclass.Add(j.pauser.pause(ctx)) }

// Resume implements [container.Container].
func (j *Container) Resume(ctx context.Context) error { return errclass.Add(j.pauser.resume(ctx)) }

func (p *pauser) pause(ctx context.Context) error {
	if err := p.mu.Lock(ctx); err != nil {
		return err
	}
	defer p.mu.Unlock()
	refusal := p.job.Freeze()
	if refusal == nil {
		p.frozen.Store(true)
		return nil
	}
	if errors.Is(refusal, jobobject.ErrClosed) {
		return refusal
	}
	// Freezing a job is undocumented, and so are the errors of a kernel that does not support it.
	p.suspending.Store(true)
	err := p.suspendAllLocked(ctx)
	if err == nil {
		return nil
	}
	if errors.Is(refusal, jobobject.ErrNotSupported) {
		refusal = nil // expected
	}
	return errors.Join(err, refusal, p.resumeAllLocked())
}

func (p *pauser) resume(ctx context.Context) error {
	if err := p.mu.Lock(ctx); err != nil {
		return err
	}
	defer p.mu.Unlock()
	if p.frozen.Load() {
		if err := p.job.Thaw(); err != nil {
			return err
		}
		p.frozen.Store(false)
	}
	return p.resumeAllLocked()
}

// paused reports whether members are frozen or suspended.
func (p *pauser) paused() bool { return p.frozen.Load() || p.suspending.Load() }

// suspendNew suspends the new members of a job whose members are suspended. In a frozen job the kernel does that.
func (p *pauser) suspendNew() error {
	if !p.suspending.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), suspendTimeout)
	defer cancel()
	if err := p.mu.Lock(ctx); err != nil {
		return err
	}
	defer p.mu.Unlock()
	if !p.suspending.Load() { // resumed meanwhile
		return nil
	}
	return p.suspendAllLocked(ctx)
}

// suspendAllLocked suspends members until a list of them has no new one. A member that still runs can start another one
// after the list was made, and exit.
func (p *pauser) suspendAllLocked(ctx context.Context) error {
	for {
		pids, err := p.job.Pids()
		if err != nil {
			return err
		}
		found := false
		for _, pid := range pids {
			if _, done := p.suspended[pid]; done {
				continue
			}
			found = true
			if err := p.suspendLocked(pid); err != nil {
				return err
			}
		}
		if !found {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("suspend processes: there are always new ones: %w", err)
		}
	}
}

// suspendLocked suspends one member. A member that has exited is no error.
func (p *pauser) suspendLocked(pid uint32) error {
	member, err := p.job.Member(pid)
	if errors.Is(err, jobobject.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	resume, err := p.suspend(pid)
	if err == nil {
		p.suspended[pid] = suspendedProcess{member, resume}
		return nil
	}
	if exited, xerr := member.Exited(); xerr == nil && exited {
		err = nil
	} else {
		err = fmt.Errorf("suspend process %d: %w", pid, err)
	}
	return errors.Join(err, member.Close())
}

// resumeAllLocked resumes all suspended members. A member that has exited is no error.
func (p *pauser) resumeAllLocked() error {
	p.suspending.Store(false)
	var errs []error
	for pid, s := range p.suspended {
		err := s.resume()
		if exited, xerr := s.member.Exited(); err != nil && (xerr != nil || !exited) {
			errs = append(errs, fmt.Errorf("resume process %d: %w", pid, err))
		}
		errs = append(errs, s.member.Close())
	}
	clear(p.suspended)
	return errors.Join(errs...)
}

// close closes the handles of suspended members, after the job was closed, which has ended them. It waits for a pause in
// progress, which may suspend more. The caller bounds that wait.
func (p *pauser) close() error {
	if err := p.mu.Lock(context.Background()); err != nil {
		return err
	}
	defer p.mu.Unlock()
	return p.resumeAllLocked()
}
