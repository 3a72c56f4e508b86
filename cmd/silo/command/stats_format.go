package command

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/internal/size"
	"github.com/siloshim/siloshim/stats"
)

var statsColumns = append([]column[statsRow]{
	{title: "NAME", id: true, value: func(r *statsRow) string { return r.Name }},
	{title: "CPUS", value: func(r *statsRow) string {
		switch {
		case r.Gone:
			return "gone"
		case r.Error != "":
			return "failed"
		}
		return r.cpus(1, "")
	}},
	{title: "CPU TIME", value: (*statsRow).cpuTime},
	{title: "COMMIT", value: (*statsRow).commit},
	{title: "LIMIT", value: (*statsRow).limit},
	{title: "PRIVATE", value: (*statsRow).private},
	{title: "WORKING SET", wide: true, value: (*statsRow).workingSet},
	{title: "READ / WRITTEN", value: (*statsRow).storage},
	{title: "PROCESSES", value: (*statsRow).processes},
	{title: "ENDED BY LIMIT", wide: true, value: func(r *statsRow) string {
		return countOr(r.Sample.Processes.Terminated, r.Sample.Has(stats.MetricProcesses))
	}},
	{title: "VIOLATIONS", wide: true, value: func(r *statsRow) string {
		if !r.Sample.Has(stats.MetricViolations) {
			return none
		}
		return strconv.FormatUint(r.Sample.Violations.Total(), 10)
	}},
}, podColumns(func(r *statsRow) *podinfo.Pod { return r.Pod })...)

// statsFields are the fields of --format of stats. Those from Container to PIDs are docker's names for them.
var statsFields = func() []field[statsRow] {
	name := func(r *statsRow) any { return r.Name }
	storage := func(r *statsRow) any { return r.storage() }
	processes := func(r *statsRow) any { return r.processes() }
	return append([]field[statsRow]{
		{"Name", name},
		{"CPUs", func(r *statsRow) any { return r.cpus(1, "") }},
		{"CPUTime", func(r *statsRow) any { return r.cpuTime() }},
		{"Commit", func(r *statsRow) any { return r.commit() }},
		{"Limit", func(r *statsRow) any { return r.limit() }},
		{"Private", func(r *statsRow) any { return r.private() }},
		{"WorkingSet", func(r *statsRow) any { return r.workingSet() }},
		{"Storage", storage},
		{"Processes", processes},
		{"Container", name},
		{"ID", func(r *statsRow) any { return r.Name[strings.LastIndexByte(r.Name, '/')+1:] }},
		{"CPUPerc", func(r *statsRow) any { return r.cpus(100, "%") }},
		{"MemUsage", func(r *statsRow) any { return r.commit() + " / " + r.limit() }},
		{"MemPerc", func(r *statsRow) any { return r.commitPercent() }},
		{"BlockIO", storage},
		{"PIDs", processes},
	}, podFields(func(r *statsRow) *podinfo.Pod { return r.Pod })...)
}()

// cpus is the number of busy processors times factor.
func (r *statsRow) cpus(factor float64, unit string) string {
	if r.CPUs == nil {
		return none
	}
	return fmt.Sprintf("%.2f%s", *r.CPUs*factor, unit)
}

func (r *statsRow) cpuTime() string {
	if !r.Sample.Has(stats.MetricProcessor) {
		return none
	}
	return clock(r.Sample.Processor.Total())
}

func (r *statsRow) commit() string {
	return bytesOr(r.Sample.Memory.Commit, r.Sample.Has(stats.MetricMemory))
}

// limited reports whether the commit has a known limit.
func (r *statsRow) limited() bool {
	return r.Sample.Has(stats.MetricLimits) && r.Sample.Limits.CommitBytes != 0
}

func (r *statsRow) limit() string { return bytesOr(r.Sample.Limits.CommitBytes, r.limited()) }

func (r *statsRow) commitPercent() string {
	if !r.limited() || !r.Sample.Has(stats.MetricMemory) {
		return none
	}
	return fmt.Sprintf("%.2f%%", 100*float64(r.Sample.Memory.Commit)/float64(r.Sample.Limits.CommitBytes))
}

func (r *statsRow) private() string {
	return bytesOr(r.Sample.Memory.PrivateWorkingSet, r.Sample.Has(stats.MetricPrivateWorkingSet))
}

func (r *statsRow) workingSet() string {
	return bytesOr(r.Sample.Memory.WorkingSet, r.Sample.Has(stats.MetricWorkingSet))
}

func (r *statsRow) storage() string {
	if !r.Sample.Has(stats.MetricStorage) {
		return none
	}
	return size.Format(r.Sample.Storage.ReadBytes) + " / " + size.Format(r.Sample.Storage.WriteBytes)
}

func (r *statsRow) processes() string {
	return countOr(r.Sample.Processes.Active, r.Sample.Has(stats.MetricProcesses))
}
