package jobtest

import (
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// notifications is the state of a job's notification limits. A threshold is reported
// once, and again only after the violation was queried.
type notifications struct {
	set      jobobject.NotificationLimits
	timeBase time.Duration // user time when set
	throttle time.Duration // how long over the processor rate without a break
	lowArmed bool          // the commit has been above LowMemory
	crossed  jobobject.Violation
}

// toleranceIntervals and the 20 % of a level, as Windows documents them.
var toleranceIntervals = map[jobobject.ToleranceInterval]time.Duration{
	jobobject.IntervalShort:  10 * time.Second,
	jobobject.IntervalMedium: time.Minute,
	jobobject.IntervalLong:   10 * time.Minute,
}

const toleranceSteps = 5

// checkThresholdsLocked sends the message if j has crossed a threshold, by what the
// process with that pid did.
func (j *job) checkThresholdsLocked(pid uint32) {
	m, used, commit := &j.notify, j.usedLocked(), j.commitLocked()
	fresh := false
	cross := func(to **jobobject.Crossed[uint64], value, threshold uint64) {
		if *to == nil {
			*to, fresh = &jobobject.Crossed[uint64]{Value: value, Threshold: threshold}, true
		}
	}
	s := &m.set
	if s.HighMemory != 0 && commit > s.HighMemory {
		cross(&m.crossed.HighMemory, commit, s.HighMemory)
	}
	m.lowArmed = m.lowArmed || commit > s.LowMemory
	if s.LowMemory != 0 && m.lowArmed && commit < s.LowMemory {
		m.lowArmed = false
		cross(&m.crossed.LowMemory, commit, s.LowMemory)
	}
	if s.ReadBytes != 0 && used.io.ReadBytes > s.ReadBytes {
		cross(&m.crossed.ReadBytes, used.io.ReadBytes, s.ReadBytes)
	}
	if s.WriteBytes != 0 && used.io.WriteBytes > s.WriteBytes {
		cross(&m.crossed.WriteBytes, used.io.WriteBytes, s.WriteBytes)
	}
	if threshold := m.timeBase + s.JobUserTime; s.JobUserTime != 0 && used.user > threshold && m.crossed.JobUserTime == nil {
		m.crossed.JobUserTime, fresh = &jobobject.Crossed[time.Duration]{Value: used.user, Threshold: threshold}, true
	}
	if fresh {
		j.postLocked(jobobject.NotificationLimit, pid)
	}
}

// checkRateLocked records that j wanted more than its rate for d, or did not.
func (j *job) checkRateLocked(over bool, d time.Duration) {
	m := &j.notify
	if !over {
		m.throttle = 0
		return
	}
	m.throttle += d
	t := m.set.CPU
	tolerated := toleranceIntervals[t.Interval] * time.Duration(t.Level) / toleranceSteps
	if t.Level != 0 && j.limits.CPUNotify && m.throttle > tolerated && m.crossed.CPU == 0 {
		m.crossed.CPU = t.Level
		j.postLocked(jobobject.NotificationLimit, j.members[0].pid)
	}
}

// SetNotificationLimits implements [jobobject.Kernel].
func (k *Kernel) SetNotificationLimits(h jobobject.Handle, n *jobobject.NotificationLimits) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := lookLocked[*job](k, "SetNotificationLimits", h, uint32(jobobject.AccessSetAttributes))
	if err != nil {
		return err
	}
	j.notify = notifications{set: *n, timeBase: j.usedLocked().user}
	if len(j.members) > 0 {
		j.checkThresholdsLocked(j.members[0].pid)
	}
	return nil
}

// NotificationLimits implements [jobobject.Kernel].
func (k *Kernel) NotificationLimits(h jobobject.Handle) (jobobject.NotificationLimits, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.askLocked("NotificationLimits", h)
	if err != nil {
		return jobobject.NotificationLimits{}, err
	}
	return j.notify.set, nil
}

// LimitViolation implements [jobobject.Kernel].
func (k *Kernel) LimitViolation(h jobobject.Handle) (jobobject.Violation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.askLocked("LimitViolation", h)
	if err != nil {
		return jobobject.Violation{}, err
	}
	v := j.notify.crossed
	j.notify.crossed = jobobject.Violation{}
	return v, nil
}
