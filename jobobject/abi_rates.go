package jobobject

import (
	"math/bits"
	"structs"
)

// Bits of ControlFlags in JOBOBJECT_CPU_RATE_CONTROL_INFORMATION.
const (
	cpuRateEnable      = 0x1
	cpuRateWeightBased = 0x2
	cpuRateHardCap     = 0x4
	cpuRateNotify      = 0x8
	cpuRateMinMax      = 0x10
)

// cpuRateControl is JOBOBJECT_CPU_RATE_CONTROL_INFORMATION. Value is its union:
// a rate, a weight, or a least rate in the low and a most in the high 16 bits.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_cpu_rate_control_information
type cpuRateControl struct {
	_            structs.HostLayout
	ControlFlags uint32
	Value        uint32
}

// cpuRate is the part of l that the structure carries.
func (l *Limits) cpuRate() cpuRateControl {
	var c cpuRateControl
	switch {
	case l.CPURate != 0:
		c = cpuRateControl{ControlFlags: cpuRateEnable | cpuRateHardCap, Value: l.CPURate}
	case l.CPUWeight != 0:
		c = cpuRateControl{ControlFlags: cpuRateEnable | cpuRateWeightBased, Value: l.CPUWeight}
	case l.CPUMaxRate != 0:
		c = cpuRateControl{ControlFlags: cpuRateEnable | cpuRateMinMax, Value: l.CPUMaxRate<<16 | l.CPUMinRate}
	}
	if l.CPUNotify {
		c.ControlFlags |= cpuRateNotify
	}
	return c
}

// read sets the part of l that the structure carries.
func (c *cpuRateControl) read(l *Limits) {
	var got Limits
	if c.ControlFlags&cpuRateEnable != 0 {
		switch {
		case c.ControlFlags&cpuRateMinMax != 0:
			if most := c.Value >> 16; most != 0 {
				got.CPUMinRate, got.CPUMaxRate = c.Value&0xFFFF, most
			}
		case c.ControlFlags&cpuRateWeightBased != 0:
			got.CPUWeight = c.Value
		case c.ControlFlags&cpuRateHardCap != 0:
			got.CPURate = c.Value
		}
		got.CPUNotify = c.ControlFlags&cpuRateNotify != 0 && got.CPURate+got.CPUWeight+got.CPUMaxRate != 0
	}
	CPULimits.Copy(l, &got)
}

// groupAffinity is GROUP_AFFINITY.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-group_affinity
type groupAffinity struct {
	_        structs.HostLayout
	Mask     uint64
	Group    uint16
	Reserved [3]uint16
}

// maxGroups is more processor groups than any Windows has.
const maxGroups = 64

func newGroupAffinities(groups []GroupAffinity) []groupAffinity {
	info := make([]groupAffinity, len(groups))
	for i, g := range groups {
		info[i] = groupAffinity{Mask: g.Mask, Group: g.Group}
	}
	return info
}

// readAffinity takes those entries that name a processor, unless they name all
// that each group of the machine has: so the kernel answers for no limit.
func readAffinity(info []groupAffinity, machine []int, l *Limits) {
	l.Affinity = nil
	whole := 0
	for _, g := range info {
		if g.Mask == 0 {
			continue
		}
		l.Affinity = append(l.Affinity, GroupAffinity{Mask: g.Mask, Group: g.Group})
		if int(g.Group) < len(machine) && bits.OnesCount64(g.Mask) == machine[g.Group] {
			whole++
		}
	}
	if whole == len(machine) {
		l.Affinity = nil
	}
}

// Bits of ControlFlags in JOBOBJECT_NET_RATE_CONTROL_INFORMATION.
const (
	netRateEnable       = 0x1
	netRateMaxBandwidth = 0x2
	netRateDSCP         = 0x4
)

// netRateControl is JOBOBJECT_NET_RATE_CONTROL_INFORMATION.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_net_rate_control_information
type netRateControl struct {
	_            structs.HostLayout
	MaxBandwidth uint64
	ControlFlags uint32
	DscpTag      uint8
	_            [3]uint8
}

// netRate is the part of l that the structure carries.
func (l *Limits) netRate() netRateControl {
	n := netRateControl{MaxBandwidth: l.NetBandwidth}
	if l.NetBandwidth != 0 {
		n.ControlFlags = netRateEnable | netRateMaxBandwidth
	}
	if l.NetDSCP != nil {
		n.ControlFlags |= netRateEnable | netRateDSCP
		n.DscpTag = *l.NetDSCP
	}
	return n
}

// read sets the part of l that the structure carries.
func (n *netRateControl) read(l *Limits) {
	var got Limits
	if n.ControlFlags&netRateEnable != 0 {
		if n.ControlFlags&netRateMaxBandwidth != 0 {
			got.NetBandwidth = n.MaxBandwidth
		}
		if n.ControlFlags&netRateDSCP != 0 {
			got.NetDSCP = new(n.DscpTag)
		}
	}
	NetLimits.Copy(l, &got)
}

// uiRestrictions is JOBOBJECT_BASIC_UI_RESTRICTIONS.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_ui_restrictions
type uiRestrictions struct {
	_                   structs.HostLayout
	UIRestrictionsClass uint32
}

// endOfJobTime is JOBOBJECT_END_OF_JOB_TIME_INFORMATION.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_end_of_job_time_information
type endOfJobTime struct {
	_                  structs.HostLayout
	EndOfJobTimeAction uint32
}
