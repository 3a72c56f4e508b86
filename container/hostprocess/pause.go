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

// catchBound bounds the stop of a process that came into a paused job.
const catchBound = 5 * time.Second

// hold keeps the members of a job from running. Where the kernel freezes the job, that is one call; where it refuses,
// each member is suspended. All methods are safe for concurrent use.
type hold struct {
	// Immutable.
	job     *jobobject.Job
	suspend func(pid uint32) (resume func() error, err error)

	// suspending says that members are suspended one by one, and that new ones must be as well.
	suspending atomic.Bool

	// turn holds a value over the calls into the kernel on purpose: two that stop and resume must not mix. It guards the
	// fields below.
	turn   deadline.Mutex
	frozen bool
	still  map[uint32]*still
}

// still is a suspended process. While the member is open its pid means this process.
type still struct {
	member *jobobject.Member
	resume func() error
}

func newHold(job *jobobject.Job, suspend func(uint32) (func() error, error)) *hold {
	if suspend == nil {
		suspend = suspendProcess
	}
	return &hold{job: job, suspend: suspend, turn: deadline.NewMutex(), still: map[uint32]*still{}}
}

// Pause stops every member, and what becomes one later. After an error all of them run.
func (j *Container) Pause(ctx context.Context) error { return errclass.Add(j.hold.on(ctx)) }

// Resume lets the members go on.
func (j *Container) Resume(ctx context.Context) error { return errclass.Add(j.hold.off(ctx)) }

func (h *hold) on(ctx context.Context) error {
	if err := h.turn.Lock(ctx); err != nil {
		return err
	}
	defer h.turn.Unlock()
	refusal := h.job.Freeze()
	h.frozen = refusal == nil
	if h.frozen || errors.Is(refusal, jobobject.ErrClosed) {
		return refusal
	}
	// The freeze of a job is undocumented, and so is the error of a kernel that will not do it.
	h.suspending.Store(true)
	err := h.suspendAllLocked(ctx)
	if err == nil {
		return nil
	}
	if errors.Is(refusal, jobobject.ErrNotSupported) {
		refusal = nil // which is no cause for a person to look into
	}
	return errors.Join(err, refusal, h.resumeAllLocked())
}

func (h *hold) off(ctx context.Context) error {
	if err := h.turn.Lock(ctx); err != nil {
		return err
	}
	defer h.turn.Unlock()
	if !h.frozen {
		return h.resumeAllLocked()
	}
	err := h.job.Thaw()
	h.frozen = err != nil
	return err
}

// catch stops what came into a job whose members are suspended. In a frozen job the kernel does.
func (h *hold) catch() error {
	if !h.suspending.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), catchBound)
	defer cancel()
	if err := h.turn.Lock(ctx); err != nil {
		return err
	}
	defer h.turn.Unlock()
	if !h.suspending.Load() { // it was resumed meanwhile
		return nil
	}
	return h.suspendAllLocked(ctx)
}

// suspendAllLocked suspends members until a list of them has no new one: a member that still ran may have started
// another behind the list, and ended.
func (h *hold) suspendAllLocked(ctx context.Context) error {
	for {
		pids, err := h.job.Pids()
		if err != nil {
			return err
		}
		fresh := false
		for _, pid := range pids {
			if h.still[pid] != nil {
				continue
			}
			fresh = true
			if err := h.suspendLocked(pid); err != nil {
				return err
			}
		}
		if !fresh {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("new ones keep coming: %w", err)
		}
	}
}

// suspendLocked suspends one member. One that has ended is no error.
func (h *hold) suspendLocked(pid uint32) error {
	member, err := h.job.Member(pid)
	if errors.Is(err, jobobject.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	resume, err := h.suspend(pid)
	if err == nil {
		h.still[pid] = &still{member, resume}
		return nil
	}
	if exited, xerr := member.Exited(); xerr == nil && exited {
		err = nil
	} else {
		err = fmt.Errorf("suspend process %d: %w", pid, err)
	}
	return errors.Join(err, member.Close())
}

// resumeAllLocked lets all suspended members go on. One that has ended meanwhile is no error.
func (h *hold) resumeAllLocked() error {
	h.suspending.Store(false)
	var errs []error
	for pid, s := range h.still {
		err := s.resume()
		if exited, xerr := s.member.Exited(); err != nil && (xerr != nil || !exited) {
			errs = append(errs, fmt.Errorf("resume process %d: %w", pid, err))
		}
		errs = append(errs, s.member.Close())
	}
	clear(h.still)
	return errors.Join(errs...)
}

// close gives back what the suspended members hold; the job is closed by then, and they have ended with it. It waits for
// a pause that hangs, which may hold some in the end; the task bounds its wait for the close.
func (h *hold) close() error {
	if err := h.turn.Lock(context.Background()); err != nil {
		return err
	}
	defer h.turn.Unlock()
	return h.resumeAllLocked()
}
