package jobobject

import (
	"fmt"
	"time"
)

// NotificationLimits are thresholds at which the kernel sends a [NotificationLimit]
// message and does not stop a process. The zero value of a field is no threshold.
// Windows guarantees the delivery of this message alone.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_notification_limit_information_2
type NotificationLimits struct {
	HighMemory  uint64        // committed bytes of all members, and above
	LowMemory   uint64        // committed bytes of all members, and below
	JobUserTime time.Duration // user time of all members together
	ReadBytes   uint64        // read by all members together
	WriteBytes  uint64        // written by all members together
	CPU         RateTolerance // over the rate of [Limits], which needs CPUNotify
	Net         RateTolerance // over NetBandwidth of [Limits]
}

// RateTolerance is how much of an interval a job may be over its rate. Both
// fields are zero, or neither is.
type RateTolerance struct {
	Level    ToleranceLevel
	Interval ToleranceInterval
}

// ToleranceLevel is a part of a [ToleranceInterval].
type ToleranceLevel uint32

const (
	ToleranceLow    ToleranceLevel = 1 // 20 %
	ToleranceMedium ToleranceLevel = 2 // 40 %
	ToleranceHigh   ToleranceLevel = 3 // 60 %
)

// ToleranceInterval is how long the kernel looks at a rate.
type ToleranceInterval uint32

const (
	IntervalShort  ToleranceInterval = 1 // 10 seconds
	IntervalMedium ToleranceInterval = 2 // 1 minute
	IntervalLong   ToleranceInterval = 3 // 10 minutes
)

// Validate names the first field that is out of its range, and the range.
func (n *NotificationLimits) Validate() error {
	switch {
	case n.JobUserTime < 0 || n.JobUserTime > 0 && n.JobUserTime < tick:
		return fmt.Errorf("JobUserTime is %v, want at least %v", n.JobUserTime, tick)
	case n.HighMemory != 0 && n.LowMemory > n.HighMemory:
		return fmt.Errorf("LowMemory is %d, want at most HighMemory, %d", n.LowMemory, n.HighMemory)
	}
	return first(func() error { return n.CPU.check("CPU") }, func() error { return n.Net.check("Net") })
}

func (r RateTolerance) check(field string) error {
	switch {
	case r == RateTolerance{}:
		return nil
	case r.Level < ToleranceLow || r.Level > ToleranceHigh:
		return fmt.Errorf("%s.Level is %d, want %d to %d", field, r.Level, ToleranceLow, ToleranceHigh)
	case r.Interval < IntervalShort || r.Interval > IntervalLong:
		return fmt.Errorf("%s.Interval is %d, want %d to %d", field, r.Interval, IntervalShort, IntervalLong)
	}
	return nil
}

// Violation has those of the [NotificationLimits] that a job has crossed. A field is
// nil, or zero, for a threshold that it has not crossed.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_limit_violation_information_2
type Violation struct {
	HighMemory, LowMemory *Crossed[uint64]
	JobUserTime           *Crossed[time.Duration]
	ReadBytes, WriteBytes *Crossed[uint64]
	CPU, Net              ToleranceLevel // how far over the rate
}

// Crossed is a value at the time of the message, and the threshold that it crossed,
// both in the unit of the field of [NotificationLimits].
type Crossed[T any] struct{ Value, Threshold T }

// SetNotificationLimits makes n the notification limits of the job, all of them.
// Kernels without them return [ErrNotSupported].
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-setinformationjobobject
func (j *Job) SetNotificationLimits(n NotificationLimits) error {
	const op = "set notification limits of job"
	if err := n.Validate(); err != nil {
		return j.handle.fail(op, err)
	}
	return j.handle.do(op, func(k Kernel, h Handle) error { return k.SetNotificationLimits(h, &n) })
}

// NotificationLimits queries the notification limits of the job.
func (j *Job) NotificationLimits() (NotificationLimits, error) {
	return lend(j.handle, "query notification limits of job", Kernel.NotificationLimits)
}

// Violation queries which notification limits the job has crossed. Call it after a
// [NotificationLimit] message.
func (j *Job) Violation() (Violation, error) {
	return lend(j.handle, "query limit violation of job", Kernel.LimitViolation)
}
