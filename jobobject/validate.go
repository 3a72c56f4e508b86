package jobobject

import (
	"errors"
	"fmt"
	"time"
)

// The ranges of Windows, inclusive.
const (
	maxCPUWeight       = 9
	maxSchedulingClass = 9
	maxDSCP            = 63
)

// Validate names the first field that is out of its range, and the range.
func (l *Limits) Validate() error {
	return first(l.checkPolicy, l.checkMemory, l.checkTime, l.checkCPU, l.checkAffinity, l.checkNet)
}

func first(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// atMost checks an upper end of a range that begins at low.
func atMost[T uint8 | uint32](field string, got, low, high T) error {
	if got > high {
		return fmt.Errorf("%s is %d, want %d to %d", field, got, low, high)
	}
	return nil
}

func (l *Limits) checkPolicy() error {
	switch l.PriorityClass {
	case 0, PriorityIdle, PriorityBelowNormal, PriorityNormal, PriorityAboveNormal, PriorityHigh, PriorityRealtime:
	default:
		return fmt.Errorf("PriorityClass is %#x, want one of the six classes", uint32(l.PriorityClass))
	}
	if l.SchedulingClass != nil {
		if err := atMost("SchedulingClass", *l.SchedulingClass, 0, maxSchedulingClass); err != nil {
			return err
		}
	}
	switch {
	case l.Breakaway > BreakawayAlways:
		return fmt.Errorf("Breakaway is %d, want %d to %d", l.Breakaway, BreakawayNever, BreakawayAlways)
	case l.AtJobTime > JobTimeNotify:
		return fmt.Errorf("AtJobTime is %d, want %d or %d", l.AtJobTime, JobTimeTerminate, JobTimeNotify)
	case l.UI&^UIAll != 0:
		return fmt.Errorf("UI is %#x, want %#x at most", uint32(l.UI), uint32(UIAll))
	}
	return nil
}

func (l *Limits) checkMemory() error {
	switch {
	case l.JobMemory != 0 && l.ProcessMemory > l.JobMemory:
		return fmt.Errorf("ProcessMemory is %d, want at most JobMemory, %d", l.ProcessMemory, l.JobMemory)
	case (l.MinWorkingSet == 0) != (l.MaxWorkingSet == 0):
		return errors.New("MinWorkingSet and MaxWorkingSet need each other")
	case l.MinWorkingSet > l.MaxWorkingSet:
		return fmt.Errorf("MinWorkingSet is %d, want at most MaxWorkingSet, %d", l.MinWorkingSet, l.MaxWorkingSet)
	}
	return nil
}

func (l *Limits) checkTime() error {
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"JobUserTime", l.JobUserTime}, {"ProcessUserTime", l.ProcessUserTime}} {
		if f.d < 0 || f.d > 0 && f.d < tick {
			return fmt.Errorf("%s is %v, want at least %v", f.name, f.d, tick)
		}
	}
	return nil
}

func (l *Limits) checkCPU() error {
	if err := first(
		func() error { return atMost("CPURate", l.CPURate, 1, AllProcessors) },
		func() error { return atMost("CPUWeight", l.CPUWeight, 1, maxCPUWeight) },
		func() error { return atMost("CPUMaxRate", l.CPUMaxRate, 1, AllProcessors) },
	); err != nil {
		return err
	}
	kinds := 0
	for _, on := range []bool{l.CPURate != 0, l.CPUWeight != 0, l.CPUMinRate != 0 || l.CPUMaxRate != 0} {
		if on {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		return errors.New("CPURate and CPUWeight and CPUMinRate with CPUMaxRate exclude each other")
	case (l.CPUMinRate == 0) != (l.CPUMaxRate == 0):
		return errors.New("CPUMinRate and CPUMaxRate need each other")
	case l.CPUMinRate > l.CPUMaxRate:
		return fmt.Errorf("CPUMinRate is %d, want 1 to CPUMaxRate, %d", l.CPUMinRate, l.CPUMaxRate)
	case l.CPUNotify && kinds == 0:
		return errors.New("CPUNotify needs CPURate, CPUWeight, or CPUMinRate with CPUMaxRate")
	}
	return nil
}

func (l *Limits) checkAffinity() error {
	seen := make(map[uint16]bool, len(l.Affinity))
	for i, a := range l.Affinity {
		if a.Mask == 0 {
			return fmt.Errorf("Affinity[%d].Mask is 0, want at least one processor", i)
		}
		if seen[a.Group] {
			return fmt.Errorf("Affinity[%d].Group is %d again, want each group once", i, a.Group)
		}
		seen[a.Group] = true
	}
	return nil
}

func (l *Limits) checkNet() error {
	if l.NetDSCP == nil {
		return nil
	}
	return atMost("NetDSCP", *l.NetDSCP, 0, maxDSCP)
}
