package limit

import (
	"fmt"
	"strings"

	"github.com/siloshim/siloshim/internal/size"
	"github.com/siloshim/siloshim/jobobject"
)

// Line describes one limit.
type Line struct {
	Limit string `json:"limit"`
	Value string `json:"value"`
	Call  string `json:"call"` // the information class of the job that carries it
}

// The information classes, by the names of winnt.h.
const (
	extended = "JobObjectExtendedLimitInformation"
	rate     = "JobObjectCpuRateControlInformation"
	groups   = "JobObjectGroupInformationEx"
	network  = "JobObjectNetRateControlInformation"
	screen   = "JobObjectBasicUIRestrictions"
)

// Describe returns a line for each limit of l that is set, in the order of the flags.
func Describe(l jobobject.Limits, m Machine) []Line {
	var lines []Line
	add := func(on bool, limit, call, format string, args ...any) {
		if on {
			lines = append(lines, Line{Limit: limit, Call: call, Value: fmt.Sprintf(format, args...)})
		}
	}
	add(l.KillOnClose, "kill-on-close", extended, "yes")
	add(l.Breakaway != 0, "breakaway", extended, "%s", breakaways.word(l.Breakaway))
	add(l.DieOnUnhandledException, "die-on-exception", extended, "yes")
	add(l.JobMemory != 0, "memory", extended, "%s", size.Format(l.JobMemory))
	add(l.ProcessMemory != 0, "process-memory", extended, "%s", size.Format(l.ProcessMemory))
	add(l.MaxWorkingSet != 0, "working-set", extended, "%s to %s", size.Format(l.MinWorkingSet), size.Format(l.MaxWorkingSet))
	add(l.CPURate != 0, "cpus", rate, "%.4g (%.4g %% of %d processors)",
		jobobject.CPUsOfRate(l.CPURate, m.Processors()), jobobject.PercentOfRate(l.CPURate), m.Processors())
	add(l.CPUWeight != 0, "cpu-weight", rate, "%d of 9", l.CPUWeight)
	add(l.CPUMaxRate != 0, "cpu-range", rate, "%.4g to %.4g %%", jobobject.PercentOfRate(l.CPUMinRate), jobobject.PercentOfRate(l.CPUMaxRate))
	add(len(l.Affinity) != 0, "affinity", groups, "%s", affinityText(l.Affinity))
	add(l.PriorityClass != 0, "priority", extended, "%s", priorities.word(l.PriorityClass))
	if l.SchedulingClass != nil {
		add(true, "scheduling-class", extended, "%d of 9", *l.SchedulingClass)
	}
	add(l.ActiveProcesses != 0, "max-processes", extended, "%d", l.ActiveProcesses)
	add(l.JobUserTime != 0, "user-time", extended, "%v", l.JobUserTime)
	add(l.ProcessUserTime != 0, "process-user-time", extended, "%v", l.ProcessUserTime)
	add(l.NetBandwidth != 0, "net-rate", network, "%d bytes a second", l.NetBandwidth)
	if l.NetDSCP != nil {
		add(true, "net-dscp", network, "%d", *l.NetDSCP)
	}
	add(l.UI != 0, "ui", screen, "%s", uiText(l.UI))
	return lines
}

func affinityText(list []jobobject.GroupAffinity) string {
	var parts []string
	for _, a := range list {
		parts = append(parts, fmt.Sprintf("g%d:%#x", a.Group, a.Mask))
	}
	return strings.Join(parts, ",")
}

func uiText(ui jobobject.UIRestrictions) string {
	if ui == jobobject.UIAll {
		return "all"
	}
	var words []string
	for _, r := range restrictions {
		if r.value != jobobject.UIAll && ui&r.value != 0 {
			words = append(words, r.word)
		}
	}
	return strings.Join(words, ",")
}
