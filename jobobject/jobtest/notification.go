package jobtest

import (
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// marks is the state of a job's notification limits. A mark is announced once,
// and again only after the violation was asked for.
type marks struct {
	set      jobobject.NotificationLimits
	timeBase time.Duration // user time when set
	throttle time.Duration // how long over the processor rate without a break
	lowArmed bool          // the commit has been above the low mark
	passed   jobobject.Violation
}

// toleranceIntervals and the 20 % of a level, as Windows documents them.
var toleranceIntervals = map[jobobject.ToleranceInterval]time.Duration{
	jobobject.IntervalShort:  10 * time.Second,
	jobobject.IntervalMedium: time.Minute,
	jobobject.IntervalLong:   10 * time.Minute,
}

const toleranceSteps = 5

// noteMarksLocked sends the message if j has passed a mark, by what the process
// with that pid did.
func (j *job) noteMarksLocked(pid uint32) {
	m, used, commit := &j.marks, j.usedLocked(), j.commitLocked()
	news := false
	pass := func(to **jobobject.Passed[uint64], figure, mark uint64) {
		if *to == nil {
			*to, news = &jobobject.Passed[uint64]{Figure: figure, Mark: mark}, true
		}
	}
	s := &m.set
	if s.HighMemory != 0 && commit > s.HighMemory {
		pass(&m.passed.HighMemory, commit, s.HighMemory)
	}
	m.lowArmed = m.lowArmed || commit > s.LowMemory
	if s.LowMemory != 0 && m.lowArmed && commit < s.LowMemory {
		m.lowArmed = false
		pass(&m.passed.LowMemory, commit, s.LowMemory)
	}
	if s.ReadBytes != 0 && used.io.ReadBytes > s.ReadBytes {
		pass(&m.passed.ReadBytes, used.io.ReadBytes, s.ReadBytes)
	}
	if s.WriteBytes != 0 && used.io.WriteBytes > s.WriteBytes {
		pass(&m.passed.WriteBytes, used.io.WriteBytes, s.WriteBytes)
	}
	if mark := m.timeBase + s.JobUserTime; s.JobUserTime != 0 && used.user > mark && m.passed.JobUserTime == nil {
		m.passed.JobUserTime, news = &jobobject.Passed[time.Duration]{Figure: used.user, Mark: mark}, true
	}
	if news {
		j.postLocked(jobobject.NotificationLimit, pid)
	}
}

// noteRateLocked records that j wanted more than its rate for d, or did not.
func (j *job) noteRateLocked(over bool, d time.Duration) {
	m := &j.marks
	if !over {
		m.throttle = 0
		return
	}
	m.throttle += d
	t := m.set.CPU
	tolerated := toleranceIntervals[t.Interval] * time.Duration(t.Level) / toleranceSteps
	if t.Level != 0 && j.limits.CPUNotify && m.throttle > tolerated && m.passed.CPU == 0 {
		m.passed.CPU = t.Level
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
	j.marks = marks{set: *n, timeBase: j.usedLocked().user}
	if len(j.members) > 0 {
		j.noteMarksLocked(j.members[0].pid)
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
	return j.marks.set, nil
}

// LimitViolation implements [jobobject.Kernel].
func (k *Kernel) LimitViolation(h jobobject.Handle) (jobobject.Violation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.askLocked("LimitViolation", h)
	if err != nil {
		return jobobject.Violation{}, err
	}
	v := j.marks.passed
	j.marks.passed = jobobject.Violation{}
	return v, nil
}
