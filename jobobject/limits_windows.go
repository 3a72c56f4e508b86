package jobobject

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

func (system) SetLimits(job Handle, part LimitPart, l *Limits, keepJobTime bool) error {
	switch part {
	case ExtendedLimits:
		info := l.extended(keepJobTime)
		return setJob(job, classExtendedLimit, &info)
	case UILimits:
		return setPart(job, part, &uiRestrictions{UIRestrictionsClass: uint32(l.UI)})
	case JobTimeLimits:
		return setPart(job, part, &endOfJobTime{EndOfJobTimeAction: uint32(l.AtJobTime)})
	case CPULimits:
		info := l.cpuRate()
		return setPart(job, part, &info)
	case NetLimits:
		info := l.netRate()
		return setPart(job, part, &info)
	case AffinityLimits:
		info := newGroupAffinities(l.Affinity)
		size := uintptr(len(info)) * unsafe.Sizeof(groupAffinity{})
		return setJobBytes(job, classGroupInformationEx, unsafe.Pointer(unsafe.SliceData(info)), size)
	}
	return fmt.Errorf("%v: %w", part, ErrNotSupported)
}

func setPart[T any](job Handle, part LimitPart, info *T) error {
	return unknownClass(setJob(job, uint32(part), info))
}

func (system) QueryLimits(job Handle, part LimitPart, l *Limits) error {
	switch part {
	case ExtendedLimits:
		return queryPart(job, part, func(info *extendedLimit) { info.read(l) })
	case UILimits:
		return queryPart(job, part, func(info *uiRestrictions) { l.UI = UIRestrictions(info.UIRestrictionsClass) })
	case JobTimeLimits:
		return queryPart(job, part, func(info *endOfJobTime) { l.AtJobTime = JobTimeAction(info.EndOfJobTimeAction) })
	case CPULimits:
		return queryPart(job, part, func(info *cpuRateControl) { info.read(l) })
	case NetLimits:
		return queryPart(job, part, func(info *netRateControl) { info.read(l) })
	case AffinityLimits:
		return queryPart(job, part, func(info *[maxGroups]groupAffinity) {
			readAffinity(info[:], machine(), l)
		})
	}
	return fmt.Errorf("%v: %w", part, ErrNotSupported)
}

// machine is the number of processors of each group; groups are numbered from 0
// without a gap, and the one after the last has none.
func machine() (groups []int) {
	for {
		n := windows.GetActiveProcessorCount(uint16(len(groups)))
		if n == 0 || len(groups) == maxGroups {
			return groups
		}
		groups = append(groups, int(n))
	}
}

// queryPart leaves what the kernel does not fill zero, as it does with groups.
func queryPart[T any](job Handle, part LimitPart, take func(*T)) error {
	info := new(T)
	if err := unknownClass(queryJob(job, uint32(part), info)); err != nil {
		return err
	}
	take(info)
	return nil
}

func (system) SetNotificationLimits(job Handle, n *NotificationLimits) error {
	info := newNotificationLimit(n)
	return unknownClass(setJob(job, classNotificationLimit2, &info))
}

func (system) NotificationLimits(job Handle) (NotificationLimits, error) {
	var info notificationLimit
	err := queryJob(job, classNotificationLimit2, &info)
	return info.limits(), unknownClass(err)
}

func (system) LimitViolation(job Handle) (Violation, error) {
	var info limitViolation
	err := queryJob(job, classLimitViolation2, &info)
	return info.violation(), unknownClass(err)
}

func (system) Freeze(job Handle, frozen bool) error {
	info := newFreezeInformation(frozen)
	return unknownClass(setJob(job, classFreeze, &info))
}
