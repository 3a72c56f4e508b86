package jobtest

import (
	"fmt"

	"github.com/siloshim/siloshim/jobobject"
)

// SetLimits implements [jobobject.Kernel].
func (k *Kernel) SetLimits(h jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits, keepJobTime bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.limitsLocked("SetLimits", h, part, jobobject.AccessSetAttributes)
	if err != nil {
		return err
	}
	if part == jobobject.AffinityLimits && len(l.Affinity) == 0 {
		return fmt.Errorf("affinity of no processor: %w", jobobject.ErrNotSupported)
	}
	copied := l.Clone()
	rest := j.limits.JobUserTime
	part.Copy(&j.limits, &copied)
	if part == jobobject.ExtendedLimits {
		if keepJobTime && l.JobUserTime != 0 {
			j.limits.JobUserTime = rest
		} else {
			j.timeBase = j.usedLocked().user
		}
	}
	for _, m := range j.members {
		m.workToLocked(m.working)
	}
	return nil
}

// QueryLimits implements [jobobject.Kernel].
func (k *Kernel) QueryLimits(h jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.limitsLocked("QueryLimits", h, part, jobobject.AccessQuery)
	if err != nil {
		return err
	}
	copied := j.limits.Clone()
	part.Copy(l, &copied)
	return nil
}

// limitsLocked counts the call by its method and by its part as well.
func (k *Kernel) limitsLocked(op string, h jobobject.Handle, part jobobject.LimitPart, access jobobject.Access) (*job, error) {
	if err := k.enterLocked(fmt.Sprintf("%s %v", op, part)); err != nil {
		return nil, err
	}
	return lookLocked[*job](k, op, h, uint32(access))
}

// Limits returns the limits in force on the job with this name, if there is one.
func (k *Kernel) Limits(name string) (jobobject.Limits, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j := k.named[nameKey(name)]
	if j == nil {
		return jobobject.Limits{}, false
	}
	return j.limits.Clone(), true
}

// Freeze implements [jobobject.Kernel].
func (k *Kernel) Freeze(h jobobject.Handle, frozen bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := lookLocked[*job](k, "Freeze", h, uint32(jobobject.AccessSetAttributes))
	if err != nil {
		return err
	}
	switch {
	case frozen && j.thaw == nil:
		j.thaw = make(chan struct{})
	case !frozen && j.thaw != nil:
		close(j.thaw)
		j.thaw = nil
	}
	return nil
}

func (p *Proc) frozenLocked() bool { return p.thawLocked() != nil }

// thawLocked is what the next thaw of a frozen job of p closes.
func (p *Proc) thawLocked() (thaw chan struct{}) {
	p.job.chain(func(j *job) {
		if j.thaw != nil {
			thaw = j.thaw
		}
	})
	return thaw
}
