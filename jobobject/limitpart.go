package jobobject

import (
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

func (p LimitPart) empty(l *Limits) bool { return reflect.ValueOf(p.of(l)).IsZero() }

func (p LimitPart) same(a, b *Limits) bool { return reflect.DeepEqual(p.of(a), p.of(b)) }
