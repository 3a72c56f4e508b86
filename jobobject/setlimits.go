package jobobject

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// SetLimits makes l the limits of the job, all of them: a zero field removes that
// limit. Only an affinity cannot be removed, just changed. When the kernel refuses a
// part, the error names it, and the parts before it stay set, as [Job.Limits] returns them.
// A part that this kernel does not support is [ErrNotSupported] if l sets a limit in
// it. The job time starts anew when JobUserTime changes, and only then.
//
// Two calls never mix. ctx ends the wait for another call on the same Job, with its
// cause; a kernel call that has begun is not interrupted.
//
// The Job remembers what was set, and writes each kernel structure whole. The limits
// of an opened job are unknown, and SetLimits returns [ErrLimitsUnknown], until
// [Job.QueryLimits] has read them. On an opened job only the parts that change are
// written.
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-setinformationjobobject
func (j *Job) SetLimits(ctx context.Context, l Limits) error {
	const op = "set limits of job"
	if err := l.Validate(); err != nil {
		return j.handle.fail(op, err)
	}
	l = l.Clone()
	if err := j.lockLimits(ctx); err != nil {
		return j.handle.fail(op, err)
	}
	defer j.unlockLimits()
	return j.handle.do(op, func(_ Kernel, h Handle) error { return j.apply(h, &l) })
}

// SetAffinity binds the members to processors and writes no other limit, so it needs
// no [Job.QueryLimits] on an opened job. An empty list is [ErrNotSupported]: an
// affinity can be changed and cannot be removed. It waits as [Job.SetLimits] does.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ne-winnt-jobobjectinfoclass
func (j *Job) SetAffinity(ctx context.Context, processors []GroupAffinity) error {
	const op = "set affinity of job"
	l := Limits{Affinity: slices.Clone(processors)}
	if err := l.Validate(); err != nil {
		return j.handle.fail(op, err)
	}
	if err := j.lockLimits(ctx); err != nil {
		return j.handle.fail(op, err)
	}
	defer j.unlockLimits()
	return j.handle.do(op, func(_ Kernel, h Handle) error {
		now, known := j.known()
		return j.applyPart(h, AffinityLimits, &l, &now, known)
	})
}

// lockLimits waits until no other call sets limits.
func (j *Job) lockLimits(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case j.limitSem <- struct{}{}:
		return nil
	case <-j.handle.Closed():
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (j *Job) unlockLimits() { <-j.limitSem }

// apply writes the parts of l that the kernel does not have yet.
func (j *Job) apply(h Handle, l *Limits) error {
	now, known := j.known()
	if !known {
		return ErrLimitsUnknown
	}
	for _, part := range limitParts {
		if j.upToDate(part, l, &now) {
			continue
		}
		if err := j.applyPart(h, part, l, &now, known); err != nil {
			return err
		}
	}
	return nil
}

// applyPart writes one part of l. What the kernel has taken is known at once.
func (j *Job) applyPart(h Handle, part LimitPart, l, now *Limits, known bool) error {
	empty := part.empty(l)
	if part == AffinityLimits && empty {
		return fmt.Errorf("%v: cannot be removed: %w", part, ErrNotSupported)
	}
	keepJobTime := now.JobUserTime == l.JobUserTime
	err := j.kernel.SetLimits(h, part, l, keepJobTime)
	// A kernel without this limit has none in force, which is what l wants.
	harmless := empty && errors.Is(err, ErrNotSupported)
	if err != nil && !harmless {
		return fmt.Errorf("%v: %w", part, err)
	}
	part.Copy(now, l)
	j.know(*now, known)
	return nil
}

// known returns what was set or read, and whether that is all there is.
func (j *Job) known() (Limits, bool) {
	j.limitMu.Lock()
	defer j.limitMu.Unlock()
	return j.limits.Clone(), j.limitsKnown
}

func (j *Job) know(l Limits, all bool) {
	j.limitMu.Lock()
	defer j.limitMu.Unlock()
	j.limits, j.limitsKnown = l.Clone(), all
}

// upToDate reports whether part of l is in force already: now is what the kernel has.
func (j *Job) upToDate(part LimitPart, l, now *Limits) bool {
	switch part {
	case ExtendedLimits:
		return j.opened() && part.same(l, now)
	case AffinityLimits:
		// Written each time: the extended structure has an affinity, too,
		// which we leave out, and a kernel may take that for no affinity.
		return part.empty(l) && part.empty(now)
	}
	return part.same(l, now)
}

// opened reports whether the job came from Open.
func (j *Job) opened() bool { return j.port == nil }

// Limits returns what was set through this Job, or what [Job.QueryLimits] read on an
// opened one. It does not call the kernel.
func (j *Job) Limits() Limits {
	l, _ := j.known()
	return l
}

// QueryLimits asks the kernel which limits are in force on the job. Those of a job
// around this one, which bind its members too, are not among them. An affinity to all
// processors of the machine is returned as none. A part that this kernel does not
// support is zero, or [ErrNotSupported] if it was set through this Job.
//
// On an opened job ctx ends the wait for another call that sets limits. On a created
// job QueryLimits does not wait and ctx has no effect.
func (j *Job) QueryLimits(ctx context.Context) (Limits, error) {
	const op = "query limits of job"
	if j.opened() {
		// SetLimits starts from what is read here. The query of a created job does not
		// wait, so it works while SetLimits hangs in the kernel.
		if err := j.lockLimits(ctx); err != nil {
			return Limits{}, j.handle.fail(op, err)
		}
		defer j.unlockLimits()
	}
	set := j.Limits()
	l, err := lend(j.handle, op, func(k Kernel, h Handle) (l Limits, err error) {
		for _, part := range limitParts {
			err := k.QueryLimits(h, part, &l)
			if errors.Is(err, ErrNotSupported) && part.empty(&set) {
				continue
			}
			if err != nil {
				return Limits{}, fmt.Errorf("%v: %w", part, err)
			}
		}
		return l, nil
	})
	if err == nil && j.opened() {
		j.know(l, true)
	}
	return l, err
}
