package prom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// figure is one figure of a sample as a series.
type figure struct {
	name, help string
	kind       prometheus.ValueType
	// read tells false for a figure that the sample does not have.
	read func(s *stats.Sample) (float64, bool)
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// figures are all series of a container.
var figures = []figure{
	{"cpu_usage_seconds_total", "Processor time of all processes, living and dead.", counter,
		of(stats.MetricProcessor, func(s *stats.Sample) float64 { return seconds(s.Processor.Total()) })},
	{"cpu_usage_user_seconds_total", "The part of the processor time in user mode.", counter,
		of(stats.MetricProcessor, func(s *stats.Sample) float64 { return seconds(s.Processor.User) })},
	{"cpu_usage_kernel_seconds_total", "The part of the processor time in kernel mode.", counter,
		of(stats.MetricProcessor, func(s *stats.Sample) float64 { return seconds(s.Processor.Kernel) })},

	{"memory_usage_commit_bytes", "Committed memory of the job, on which the limit is.", gauge,
		of(stats.MetricMemory, func(s *stats.Sample) float64 { return float64(s.Memory.Commit) })},
	{"memory_usage_commit_peak_bytes", "The most committed memory so far.", gauge,
		of(stats.MetricMemory, func(s *stats.Sample) float64 { return float64(s.Memory.PeakCommit) })},
	{"memory_usage_private_working_set_bytes", "Resident memory that is not shared, of all processes.", gauge,
		of(stats.MetricPrivateWorkingSet, func(s *stats.Sample) float64 { return float64(s.Memory.PrivateWorkingSet) })},
	{"memory_usage_working_set_bytes", "Resident memory of all processes; what they share counts for each.", gauge,
		of(stats.MetricWorkingSet, func(s *stats.Sample) float64 { return float64(s.Memory.WorkingSet) })},
	{"memory_page_faults_total", "Page faults of all processes; starts anew at 32 bits.", counter,
		of(stats.MetricProcesses, func(s *stats.Sample) float64 { return float64(s.Memory.PageFaults) })},

	{"storage_read_count_normalized_total", "Reads that reached a volume.", counter,
		of(stats.MetricStorage, func(s *stats.Sample) float64 { return float64(s.Storage.Reads) })},
	{"storage_read_size_bytes_total", "Bytes read from volumes.", counter,
		of(stats.MetricStorage, func(s *stats.Sample) float64 { return float64(s.Storage.ReadBytes) })},
	{"storage_write_count_normalized_total", "Writes that reached a volume.", counter,
		of(stats.MetricStorage, func(s *stats.Sample) float64 { return float64(s.Storage.Writes) })},
	{"storage_write_size_bytes_total", "Bytes written to volumes.", counter,
		of(stats.MetricStorage, func(s *stats.Sample) float64 { return float64(s.Storage.WriteBytes) })},

	{"processes", "Processes now.", gauge,
		of(stats.MetricProcesses, func(s *stats.Sample) float64 { return float64(s.Processes.Active) })},
	{"processes_started_total", "Processes that ever were in the container.", counter,
		of(stats.MetricProcesses, func(s *stats.Sample) float64 { return float64(s.Processes.Total) })},
	{"processes_ended_by_limit_total", "Processes that a limit has ended.", counter,
		of(stats.MetricProcesses, func(s *stats.Sample) float64 { return float64(s.Processes.Terminated) })},
	{"start_time_seconds", "When the container started, in seconds since 1970.", gauge,
		of(stats.MetricStarted, func(s *stats.Sample) float64 { return float64(s.Started.UnixNano()) / 1e9 })},

	{"memory_limit_bytes", "Limit on committed memory; absent without one.", gauge,
		limit(func(l *stats.Limits) float64 { return float64(l.CommitBytes) })},
	{"cpu_limit_ratio", "Hard cap on processor time as part of the whole machine; absent without one.", gauge,
		limit(func(l *stats.Limits) float64 { return float64(l.ProcessorRate) / jobobject.AllProcessors })},
	{"processes_limit", "Limit on processes at a time; absent without one.", gauge,
		limit(func(l *stats.Limits) float64 { return float64(l.ActiveProcesses) })},

	{"limit_violations_memory_total", "Allocations that a memory limit has refused; absent without a listener to the job.", counter,
		of(stats.MetricViolations, func(s *stats.Sample) float64 { return float64(s.Violations.Memory) })},
	{"limit_violations_processes_total", "Processes that the limit on their number has refused; absent without a listener to the job.", counter,
		of(stats.MetricViolations, func(s *stats.Sample) float64 { return float64(s.Violations.Processes) })},
	{"limit_violations_time_total", "Times that a limit on processor time was used up; absent without a listener to the job.", counter,
		of(stats.MetricViolations, func(s *stats.Sample) float64 { return float64(s.Violations.Time) })},
	{"limit_violations_other_total", "Notification limits that were passed; absent without a listener to the job.", counter,
		of(stats.MetricViolations, func(s *stats.Sample) float64 { return float64(s.Violations.Other) })},

	{"fallbacks_total", "Times that figures had to be had from the Host Compute Service.", counter,
		func(s *stats.Sample) (float64, bool) { return float64(s.Fallbacks), true }},
	{"figures_missing", "Figures that this machine does not tell of the container.", gauge, missing},
}

func of(f stats.Metric, value func(*stats.Sample) float64) func(*stats.Sample) (float64, bool) {
	return func(s *stats.Sample) (float64, bool) { return value(s), s.Has(f) }
}

func limit(value func(*stats.Limits) float64) func(*stats.Sample) (float64, bool) {
	return func(s *stats.Sample) (float64, bool) {
		v := value(&s.Limits)
		return v, s.Has(stats.MetricLimits) && v != 0
	}
}

// missing leaves out the violations: they lack a listener, not something of the machine's.
func missing(s *stats.Sample) (n float64, _ bool) {
	for f := range s.Metrics {
		if f := stats.Metric(f); !s.Has(f) && f != stats.MetricViolations {
			n++
		}
	}
	return n, true
}

func seconds(d time.Duration) float64 { return d.Seconds() }
