package jobobject

import (
	"errors"
	"fmt"
	"reflect"
)

// LimitPart is a kernel structure that carries some of the [Limits]. Its number
// is that of the information class.
type LimitPart uint32

const (
	// ExtendedLimits has all that the parts below do not have.
	ExtendedLimits LimitPart = classExtendedLimit
	UILimits       LimitPart = classUIRestrictions
	JobTimeLimits  LimitPart = classEndOfJobTime
	AffinityLimits LimitPart = classGroupInformationEx
	CPULimits      LimitPart = classCPURateControl
	NetLimits      LimitPart = classNetRateControl
)

// limitParts is the order of setting. The action comes before the time it is
// for, and the affinity after the structure that may undo it.
var limitParts = []LimitPart{JobTimeLimits, ExtendedLimits, CPULimits, AffinityLimits, NetLimits, UILimits}

func (p LimitPart) String() string {
	switch p {
	case ExtendedLimits:
		return "memory, time, processes, scheduling and kill on close"
	case UILimits:
		return "user interface"
	case JobTimeLimits:
		return "action at job time"
	case AffinityLimits:
		return "affinity"
	case CPULimits:
		return "processor rate"
	case NetLimits:
		return "network"
	}
	return fmt.Sprintf("limit part %d", uint32(p))
}

// Copy sets those fields of to that p carries to what they are in from. The two
// share memory afterwards.
func (p LimitPart) Copy(to, from *Limits) {
	switch p {
	case ExtendedLimits:
		rest := *to
		*to = *from
		for _, other := range limitParts {
			if other != ExtendedLimits {
				other.Copy(to, &rest)
			}
		}
	case UILimits:
		to.UI = from.UI
	case JobTimeLimits:
		to.AtJobTime = from.AtJobTime
	case AffinityLimits:
		to.Affinity = from.Affinity
	case CPULimits:
		to.CPURate, to.CPUWeight, to.CPUNotify = from.CPURate, from.CPUWeight, from.CPUNotify
		to.CPUMinRate, to.CPUMaxRate = from.CPUMinRate, from.CPUMaxRate
	case NetLimits:
		to.NetBandwidth, to.NetDSCP = from.NetBandwidth, from.NetDSCP
	}
}

// of is the part of l alone.
func (p LimitPart) of(l *Limits) (part Limits) {
	p.Copy(&part, l)
	return part
}

// SetLimits makes l the limits of the job, all of them: a zero field takes that
// limit away. Only an affinity cannot be taken away again, just changed. When
// the kernel refuses a part, the error names it, and the parts before it stay
// set, as [Job.Limits] tells. A part that this kernel does not know is
// [ErrNotSupported] if l asks for something of it.
//
// The job time starts anew when JobUserTime changes, and only then.
//
// The wanted state is kept here and each kernel structure is always written
// whole, so nothing is asked back in between. For a job that was only opened,
// start from [Job.QueryLimits], or its KillOnClose is lost.
func (j *Job) SetLimits(l Limits) error {
	const op = "set limits of job"
	if err := l.Validate(); err != nil {
		return fail(op, j.name, err)
	}
	l = l.Clone()
	// One set at a time, the calls included: two must not mix. Who only asks is not held up by a kernel that hangs.
	j.setting <- struct{}{}
	defer func() { <-j.setting }()
	return fail(op, j.name, j.with(func(h Handle) error { return j.apply(h, &l) }))
}

// apply is for the one who sets. What the kernel has taken is known at once.
func (j *Job) apply(h Handle, l *Limits) error {
	now, known := j.known()
	for _, part := range limitParts {
		empty := reflect.ValueOf(part.of(l)).IsZero()
		if upToDate(part, l, &now, known, empty) {
			continue
		}
		if part == AffinityLimits && empty {
			return fmt.Errorf("%v: cannot be taken away: %w", part, ErrNotSupported)
		}
		keepJobTime := now.JobUserTime == l.JobUserTime
		err := j.kernel.SetLimits(h, part, l, keepJobTime)
		// A host that lacks a limit has none of it, as is asked for.
		harmless := empty && errors.Is(err, ErrNotSupported)
		if err != nil && !harmless {
			return fmt.Errorf("%v: %w", part, err)
		}
		part.Copy(&now, l)
		j.know(now, known)
	}
	j.know(now, true)
	return nil
}

// known returns what was set, and whether that is all there is.
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

// upToDate tells whether the kernel, which has now, need not be told about part of l.
func upToDate(part LimitPart, l, now *Limits, known, empty bool) bool {
	switch part {
	case ExtendedLimits:
		return false
	case AffinityLimits:
		// Written each time: the extended structure has an affinity of its own,
		// which we leave out, and a kernel may take that for no affinity.
		return empty && (len(now.Affinity) == 0 || !known)
	}
	return known && reflect.DeepEqual(part.of(l), part.of(now))
}

// Limits returns what was set through this Job. It does not ask the kernel.
func (j *Job) Limits() Limits {
	l, _ := j.known()
	return l
}

// QueryLimits asks the kernel which limits are in force on the job. The limits
// of a job around this one, which bind its members too, are not among them, and
// an affinity to all processors of the machine is none. A part that this kernel
// does not know is zero, as it is not in force; one that was set through this Job
// all the same, but cannot be told, is [ErrNotSupported].
func (j *Job) QueryLimits() (Limits, error) {
	set := j.Limits()
	return query(j, "query limits of job", func(h Handle) (l Limits, err error) {
		for _, part := range limitParts {
			err := j.kernel.QueryLimits(h, part, &l)
			if errors.Is(err, ErrNotSupported) && reflect.ValueOf(part.of(&set)).IsZero() {
				continue
			}
			if err != nil {
				return Limits{}, fmt.Errorf("%v: %w", part, err)
			}
		}
		return l, nil
	})
}
