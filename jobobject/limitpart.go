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
// For a job that was only opened, SetLimits is [ErrUnknownLimits] until
// [Job.QueryLimits] has succeeded: it would take away what the creator set. Of
// such a job only the structures that carry a change are written.
func (j *Job) SetLimits(l Limits) error {
	return j.set("set limits of job", &l, j.setAll)
}

// SetAffinity sets the processors that the members may run on, at most one entry
// a group, and leaves all other limits alone, whoever set them. An affinity can
// be changed and not taken away: an empty one is [ErrNotSupported].
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-setinformationjobobject, JobObjectGroupInformationEx
func (j *Job) SetAffinity(affinity []GroupAffinity) error {
	return j.set("set affinity of job", &Limits{Affinity: affinity}, j.setAffinity)
}

// set checks l and has apply write it, with a copy that the caller cannot change.
func (j *Job) set(op string, l *Limits, apply func(Handle, *Limits) error) error {
	if err := l.Validate(); err != nil {
		return fail(op, j.name, err)
	}
	wanted := l.Clone()
	// One set at a time, the calls included: two must not mix. A query does not wait for a kernel that hangs.
	j.setting <- struct{}{}
	defer func() { <-j.setting }()
	return fail(op, j.name, j.with(func(h Handle) error { return apply(h, &wanted) }))
}

// setAll writes every part that differs from what is in force. What the kernel
// has taken is known at once. The caller holds j.setting.
func (j *Job) setAll(h Handle, l *Limits) error {
	now, known := j.known()
	if !known {
		return ErrUnknownLimits
	}
	extended := false
	for _, part := range limitParts {
		empty := reflect.ValueOf(part.of(l)).IsZero()
		same := reflect.DeepEqual(part.of(l), part.of(&now))
		switch {
		case part == ExtendedLimits && j.created():
			// Written each time: whoever opened the job may have changed it since.
		case part == AffinityLimits && extended && !empty:
			// Written behind the extended structure, which has an affinity of its
			// own that we leave out: a kernel may take that for no affinity.
		case same:
			continue
		}
		if part == AffinityLimits && empty {
			return errAffinityStays
		}
		err := j.kernel.SetLimits(h, part, l, now.JobUserTime == l.JobUserTime)
		// A host that lacks a limit has none of it, as is asked for.
		harmless := empty && errors.Is(err, ErrNotSupported)
		if err != nil && !harmless {
			return fmt.Errorf("%v: %w", part, err)
		}
		extended = extended || part == ExtendedLimits
		part.Copy(&now, l)
		j.know(now, true)
	}
	return nil
}

// errAffinityStays refuses an empty affinity.
var errAffinityStays = fmt.Errorf("%v: cannot be taken away: %w", AffinityLimits, ErrNotSupported)

// setAffinity writes the affinity alone. The caller holds j.setting.
func (j *Job) setAffinity(h Handle, l *Limits) error {
	if len(l.Affinity) == 0 {
		return errAffinityStays
	}
	if err := j.kernel.SetLimits(h, AffinityLimits, l, true); err != nil {
		return fmt.Errorf("%v: %w", AffinityLimits, err)
	}
	now, known := j.known()
	AffinityLimits.Copy(&now, l)
	j.know(now, known)
	return nil
}

// created tells whether this Job made the job object, and did not only open it.
func (j *Job) created() bool { return j.port != nil }

// known returns the limits, and whether those are all that are in force.
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

// Limits returns what was set through this Job, and for an opened job what the
// first [Job.QueryLimits] returned. It does not ask the kernel.
func (j *Job) Limits() Limits {
	l, _ := j.known()
	return l
}

// QueryLimits asks the kernel which limits are in force on the job. The limits
// of a job around this one, which bind its members too, are not among them, and
// an affinity to all processors of the machine is none. A part that this kernel
// does not know is zero, as it is not in force; one that was set through this Job
// all the same, but cannot be told, is [ErrNotSupported]. For an opened job the
// answer is what [Job.SetLimits] goes on from.
func (j *Job) QueryLimits() (Limits, error) {
	set, known := j.known()
	l, err := query(j, "query limits of job", func(h Handle) (l Limits, err error) {
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
	if err == nil && !known {
		j.know(l, true)
	}
	return l, err
}
