package limit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/siloshim/siloshim/jobobject"
)

// job is what Set needs of a [jobobject.Job].
type job interface {
	SetLimits(context.Context, jobobject.Limits) error
}

// Set makes l the limits of the job. A limit that the host cannot apply is an error that names it; with bestEffort the
// others are applied, and the warnings name each that could not be. KillOnClose is always applied.
func Set(ctx context.Context, j job, l jobobject.Limits, bestEffort bool) (warnings []string, err error) {
	err = j.SetLimits(ctx, l)
	if err == nil || !bestEffort {
		return nil, err
	}
	applied := jobobject.Limits{KillOnClose: l.KillOnClose}
	if err := j.SetLimits(ctx, applied); err != nil {
		return nil, err
	}
	for _, part := range parts {
		wanted := applied.Clone()
		part.copy(&wanted, &l)
		switch err := j.SetLimits(ctx, wanted); {
		case err == nil:
			applied = wanted
		case errors.Is(err, jobobject.ErrClosed):
			return warnings, err
		default:
			warnings = append(warnings, fmt.Sprintf("limit %s was not applied: %v", part.limit, err))
		}
	}
	// The last attempt may have failed after some of its calls.
	return warnings, j.SetLimits(ctx, applied)
}

// parts are the groups of limits that are applied together.
var parts = []struct {
	limit string
	copy  func(to, from *jobobject.Limits)
}{
	{"breakaway", func(to, from *jobobject.Limits) { to.Breakaway = from.Breakaway }},
	{"die-on-exception", func(to, from *jobobject.Limits) { to.DieOnUnhandledException = from.DieOnUnhandledException }},
	{"memory", func(to, from *jobobject.Limits) { to.JobMemory = from.JobMemory }},
	{"process-memory", func(to, from *jobobject.Limits) { to.ProcessMemory = from.ProcessMemory }},
	{"working-set", func(to, from *jobobject.Limits) {
		to.MinWorkingSet, to.MaxWorkingSet = from.MinWorkingSet, from.MaxWorkingSet
	}},
	{"cpu", func(to, from *jobobject.Limits) {
		to.CPURate, to.CPUWeight, to.CPUNotify = from.CPURate, from.CPUWeight, from.CPUNotify
		to.CPUMinRate, to.CPUMaxRate = from.CPUMinRate, from.CPUMaxRate
	}},
	{"affinity", func(to, from *jobobject.Limits) { to.Affinity = slices.Clone(from.Affinity) }},
	{"priority", func(to, from *jobobject.Limits) { to.PriorityClass = from.PriorityClass }},
	{"scheduling-class", func(to, from *jobobject.Limits) { to.SchedulingClass = from.SchedulingClass }},
	{"max-processes", func(to, from *jobobject.Limits) { to.ActiveProcesses = from.ActiveProcesses }},
	{"user-time", func(to, from *jobobject.Limits) { to.JobUserTime, to.AtJobTime = from.JobUserTime, from.AtJobTime }},
	{"process-user-time", func(to, from *jobobject.Limits) { to.ProcessUserTime = from.ProcessUserTime }},
	{"net", func(to, from *jobobject.Limits) { to.NetBandwidth, to.NetDSCP = from.NetBandwidth, from.NetDSCP }},
	{"ui", func(to, from *jobobject.Limits) { to.UI = from.UI }},
}
