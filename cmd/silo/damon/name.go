package damon

import "github.com/prometheus/client_golang/prometheus"

// names are Damon's series. Those of IO count what a job reads, writes and asks of files, pipes and devices;
// silo_container_storage_* count what reached a volume.
var names = []struct {
	name string
	kind prometheus.ValueType
	help string
}{
	{"cpu_kernel_seconds", prometheus.GaugeValue, "Seconds in kernel mode, of all processes."},
	{"cpu_user_seconds", prometheus.GaugeValue, "Seconds in user mode, of all processes."},
	{"cpu_kernel_percent", prometheus.GaugeValue, "Part of the machine's time in kernel mode, 0 to 1, too small by the number of processors as it was in Damon. See silo_container_cpu_usage_kernel_seconds_total."},
	{"cpu_user_percent", prometheus.GaugeValue, "Part of the machine's time in user mode, 0 to 1, too small by the number of processors as it was in Damon. See silo_container_cpu_usage_user_seconds_total."},
	{"cpu_kernel_hz", prometheus.GaugeValue, "Cycles a second in kernel mode, too few by the number of processors as in Damon."},
	{"cpu_user_hz", prometheus.GaugeValue, "Cycles a second in user mode, too few by the number of processors as in Damon."},
	{"cpu_limit_hz", prometheus.GaugeValue, "Configured limit in cycles a second, enforced or not."},
	{"cpu_limit_percent", prometheus.GaugeValue, "Configured limit as part of the machine's cycles."},
	{"cpu_notifications_total", prometheus.CounterValue, "Times that the processor limit was passed."},
	{"memory_working_set_bytes", prometheus.GaugeValue, "Resident memory of the program alone. See silo_container_memory_usage_working_set_bytes for its children, too."},
	{"memory_commit_charge_bytes", prometheus.GaugeValue, "Committed memory of the program alone. See silo_container_memory_usage_commit_bytes for its children, too."},
	{"memory_page_fault_total", prometheus.GaugeValue, "Page faults of the program alone."},
	{"memory_limit_bytes", prometheus.GaugeValue, "Configured limit on committed memory."},
	{"memory_notifications_total", prometheus.CounterValue, "Allocations that the memory limit refused; Damon never counted any."},
	{"io_read_operations_total", prometheus.GaugeValue, "Reads, of files, pipes and devices."},
	{"io_write_operations_total", prometheus.GaugeValue, "Writes, to files, pipes and devices."},
	{"io_other_operations_total", prometheus.GaugeValue, "Operations that are neither, such as control requests."},
	{"io_operations_total", prometheus.GaugeValue, "Operations of all three kinds."},
	{"io_read_bytes", prometheus.GaugeValue, "Bytes read."},
	{"io_write_bytes", prometheus.GaugeValue, "Bytes written."},
	{"io_other_bytes", prometheus.GaugeValue, "Bytes of operations that are neither."},
	{"io_total_bytes", prometheus.GaugeValue, "Bytes of all three kinds."},
	{"io_notifications_total", prometheus.CounterValue, "Always 0, as in Damon: there is no storage limit."},
}
