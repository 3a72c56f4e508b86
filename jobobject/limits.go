package jobobject

import (
	"slices"
	"time"
)

// Limits bound what the members of a job may use, together or each. The zero
// value of a field is no limit. [Limits.Validate] checks the ranges.
//
// There is no limit of storage: Windows ignores the I/O rates of a job since Windows
// 10 version 1607 and Server 2016.
//
// https://learn.microsoft.com/windows/win32/procthread/job-objects and, for I/O rates,
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-setioratecontrolinformationjobobject
type Limits struct {
	KillOnClose             bool      // end all members with the last handle
	Breakaway               Breakaway // which children start outside of the job
	DieOnUnhandledException bool      // a crash ends the process without a dialog

	JobMemory       uint64 // committed bytes of all members together
	ProcessMemory   uint64 // committed bytes of each member
	MinWorkingSet   uint64 // resident bytes that each member keeps; only with MaxWorkingSet
	MaxWorkingSet   uint64 // resident bytes that each member is trimmed to
	ActiveProcesses uint32 // members at a time; one more is ended or not started

	JobUserTime     time.Duration // user time of all members together, from when it is set
	ProcessUserTime time.Duration // user time of each member, which ends at it
	AtJobTime       JobTimeAction // what JobUserTime does when it is reached

	PriorityClass   PriorityClass // of every member, whatever it asks for
	SchedulingClass *uint8        // 0, the shortest time slice, to 9, the longest; nil leaves it at 5

	CPURate    uint32 // hard cap, 1 to 10000 hundredths of a percent of all processors
	CPUWeight  uint32 // share under contention, 1 to 9
	CPUMinRate uint32 // reserved part, in the unit of CPURate; only with CPUMaxRate
	CPUMaxRate uint32 // cap beside CPUMinRate
	CPUNotify  bool   // see [NotificationLimits].CPU; only with one of the four above

	Affinity []GroupAffinity // processors the members may run on

	NetBandwidth uint64 // outgoing bytes a second
	NetDSCP      *uint8 // 0 to 63, the DSCP value of outgoing packets; nil does not set it

	UI UIRestrictions // what the members may do to the desktop
}

// GroupAffinity is a set of processors of one processor group.
//
// https://learn.microsoft.com/windows/win32/procthread/processor-groups
type GroupAffinity struct {
	Mask  uint64
	Group uint16
}

// Breakaway is which children of members start outside of the job.
type Breakaway uint8

const (
	BreakawayNever     Breakaway = iota // none
	BreakawayOnRequest                  // those started with CREATE_BREAKAWAY_FROM_JOB
	BreakawayAlways                     // all
)

// JobTimeAction is what happens when a job has used up its JobUserTime.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_end_of_job_time_information
type JobTimeAction uint32

const (
	JobTimeTerminate JobTimeAction = 0 // all members end with ERROR_NOT_ENOUGH_QUOTA, 1816
	JobTimeNotify    JobTimeAction = 1 // an [EndOfJobTime] message; the limit is gone with it
)

// PriorityClass is the scheduling priority of a process.
//
// https://learn.microsoft.com/windows/win32/procthread/scheduling-priorities
type PriorityClass uint32

const (
	PriorityIdle        PriorityClass = 0x40
	PriorityBelowNormal PriorityClass = 0x4000
	PriorityNormal      PriorityClass = 0x20
	PriorityAboveNormal PriorityClass = 0x8000
	PriorityHigh        PriorityClass = 0x80
	PriorityRealtime    PriorityClass = 0x100
)

// UIRestrictions is a set of things that members may not do.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_ui_restrictions
type UIRestrictions uint32

const (
	UIHandles          UIRestrictions = 0x01 // use USER handles of non-members
	UIReadClipboard    UIRestrictions = 0x02
	UIWriteClipboard   UIRestrictions = 0x04
	UISystemParameters UIRestrictions = 0x08
	UIDisplaySettings  UIRestrictions = 0x10
	UIGlobalAtoms      UIRestrictions = 0x20 // see the atoms of non-members
	UIDesktop          UIRestrictions = 0x40 // make and switch desktops
	UIExitWindows      UIRestrictions = 0x80
	UIAll              UIRestrictions = 0xFF
)

// Clone returns a copy that shares no memory with l.
func (l *Limits) Clone() Limits {
	c := *l
	c.Affinity = slices.Clone(l.Affinity)
	c.SchedulingClass = clonePointer(l.SchedulingClass)
	c.NetDSCP = clonePointer(l.NetDSCP)
	return c
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}
