package prom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// metric is one value of a sample as a Prometheus metric.
type metric struct {
	name, help string
	kind       prometheus.ValueType
	// read returns false if the sample does not have the value.
	read func(s *stats.Sample) (float64, bool)
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// metrics are all metrics of a container. Their names are kept for good: dashboards and alerts use them.
var metrics = []metric{
	{"cpu_usage_seconds_total", "Processor time of all processes, exited ones included.", counter,
		of(stats.MetricProcessor, func(s *stats.Sample) float64 { return seconds(s.Processor.Total()) })},
	{"cpu_usage_user_seconds_total", "The part of the processor time in user mode.", counter,
		of(stats.MetricProcessor, func(s *stats.Sample) float64 { return seconds(s.Processor.User) })},
	{"cpu_usage_kernel_seconds_total", "The part of the processor time in kernel mode.", counter,
		of(stats.MetricProcessor, func(s *stats.Sample) float64 { return seconds(s.Processor.Kernel) })},

	{"memory_usage_commit_bytes", "Committed memory of the job, on which the limit is.", gauge,
		of(stats.MetricMemory, func(s *stats.Sample) float64 { return float64(s.Memory.Commit) })},
	{"memory_usage_commit_peak_bytes", "The largest committed memory so far.", gauge,
		of(stats.MetricMemory, func(s *stats.Sample) float64 { return float64(s.Memory.PeakCommit) })},
	{"memory_usage_private_working_set_bytes", "Resident memory that is not shared, of all processes.", gauge,
		of(stats.MetricPrivateWorkingSet, func(s *stats.Sample) float64 { return float64(s.Memory.PrivateWorkingSet) })},
	{"memory_usage_working_set_bytes", "Resident memory of all processes; what they share counts for each.", gauge,
		of(stats.MetricWorkingSet, func(s *stats.Sample) float64 { return float64(s.Memory.WorkingSet) })},
	{"memory_page_faults_total", "Page faults of all processes; wraps around at 32 bits.", counter,
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
	{"processes_started_total", "Processes that were started in the container so far.", counter,
		of(stats.MetricProcesses, func(s *stats.Sample) float64 { return float64(s.Processes.Total) })},
	{"processes_ended_by_limit_total", "Processes that a limit has terminated.", counter,
		of(stats.MetricProcesses, func(s *stats.Sample) float64 { return float64(s.Processes.Terminated) })},
	{"start_time_seconds", "When the container started, in seconds since 1970.", gauge,
		of(stats.MetricStarted, func(s *stats.Sample) float64 { return float64(s.Started.UnixNano()) / 1e9 })},

	{"memory_limit_bytes", "Limit on committed memory; missing without one.", gauge,
		limit(func(l *stats.Limits) float64 { return float64(l.CommitBytes) })},
	{"cpu_limit_ratio", "Hard cap on processor time as part of the whole machine; missing without one.", gauge,
		limit(func(l *stats.Limits) float64 { return float64(l.ProcessorRate) / jobobject.AllProcessors })},
	{"processes_limit", "Limit on processes at a time; missing without one.", gauge,
		limit(func(l *stats.Limits) float64 { return float64(l.ActiveProcesses) })},

	{"limit_violations_memory_total", "Allocations that a memory limit has refused; missing unless a program reads the messages of the job.", counter,
		of(stats.MetricViolations, func(s *stats.Sample) float64 { return float64(s.Violations.Memory) })},
	{"limit_violations_processes_total", "Processes that the limit on their number has refused; missing unless a program reads the messages of the job.", counter,
		of(stats.MetricViolations, func(s *stats.Sample) float64 { return float64(s.Violations.Processes) })},
	{"limit_violations_time_total", "Times that a limit on processor time was used up; missing unless a program reads the messages of the job.", counter,
		of(stats.MetricViolations, func(s *stats.Sample) float64 { return float64(s.Violations.Time) })},
	{"limit_violations_other_total", "Notification limits that were passed; missing unless a program reads the messages of the job.", counter,
		of(stats.MetricViolations, func(s *stats.Sample) float64 { return float64(s.Violations.Other) })},

	{"fallbacks_total", "Queries to the Host Compute Service for what the kernel did not answer.", counter,
		func(s *stats.Sample) (float64, bool) { return float64(s.Fallbacks), true }},
	{"metrics_missing", "Metrics of the container that this machine does not have.", gauge, missing},
}

func of(m stats.Metric, value func(*stats.Sample) float64) func(*stats.Sample) (float64, bool) {
	return func(s *stats.Sample) (float64, bool) { return value(s), s.Has(m) }
}

func limit(value func(*stats.Limits) float64) func(*stats.Sample) (float64, bool) {
	return func(s *stats.Sample) (float64, bool) {
		v := value(&s.Limits)
		return v, s.Has(stats.MetricLimits) && v != 0
	}
}

// missing leaves out the violations: they depend on a reader of the job's messages, not on the machine.
func missing(s *stats.Sample) (n float64, _ bool) {
	for m := range s.Metrics {
		if m := stats.Metric(m); !s.Has(m) && m != stats.MetricViolations {
			n++
		}
	}
	return n, true
}

func seconds(d time.Duration) float64 { return d.Seconds() }
