package damon

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/siloshim/siloshim/jobobject"
)

// window is Damon's interval. Percentages are computed over at least that time, independent of the scrapes.
const window = 10 * time.Second

// Metrics is a [prometheus.Collector] with Damon's series. Types and values are Damon's with their errors, so that
// dashboards show no step; the help texts name the errors. It is safe for concurrent use.
type Metrics struct {
	// Immutable after NewMetrics.
	job    *jobobject.Job
	config *Config
	cores  float64
	hz     float64 // of one processor; 0 is unknown
	now    func() time.Time
	descs  map[string]*prometheus.Desc

	root                atomic.Uint32 // pid of the program
	overCPU, overMemory atomic.Uint64
	mu                  sync.Mutex // guards the fields below
	base, last          times
}

// times is the processor time at one moment.
type times struct {
	at           time.Time
	user, kernel time.Duration
}

// NewMetrics makes the series of one job. cores and mhz are those of the machine.
func NewMetrics(job *jobobject.Job, c *Config, cores int, mhz uint64, now func() time.Time) *Metrics {
	m := &Metrics{job: job, config: c, cores: float64(cores), hz: float64(mhz) * 1e6, now: now, descs: map[string]*prometheus.Desc{}}
	m.base.at = now()
	m.last = m.base
	for _, s := range names {
		m.descs[s.name] = prometheus.NewDesc("damon_"+s.name, s.help, nil, c.Labels)
	}
	return m
}

// SetRoot sets the pid of the program, whose memory alone Damon reported.
func (m *Metrics) SetRoot(pid uint32) { m.root.Store(pid) }

// Observe counts a message of the job.
func (m *Metrics) Observe(message jobobject.Message) {
	switch message.Kind {
	case jobobject.NotificationLimit:
		m.overCPU.Add(1)
	case jobobject.JobMemoryLimit, jobobject.ProcessMemoryLimit:
		m.overMemory.Add(1)
	}
}

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range m.descs {
		to <- d
	}
}

// Collect implements [prometheus.Collector]. A statistic that this host does not support has no series.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	values := map[string]float64{
		"cpu_notifications_total": float64(m.overCPU.Load()), "memory_notifications_total": float64(m.overMemory.Load()),
		"io_notifications_total": 0,
		"cpu_limit_hz":           float64(m.config.CPUMHz) * 1e6, "memory_limit_bytes": float64(m.config.HardMemoryMB << 20),
	}
	if m.hz > 0 {
		values["cpu_limit_percent"] = values["cpu_limit_hz"] / (m.hz * m.cores)
	}
	m.processor(values)
	m.memory(values)
	m.transfers(values)
	for _, s := range names {
		if value, ok := values[s.name]; ok {
			to <- prometheus.MustNewConstMetric(m.descs[s.name], s.kind, value)
		}
	}
}

func (m *Metrics) processor(values map[string]float64) {
	a, err := m.job.Accounting()
	if err != nil {
		return
	}
	values["cpu_kernel_seconds"], values["cpu_user_seconds"] = a.KernelTime.Seconds(), a.UserTime.Seconds()
	kernel, user := m.shares(times{at: m.now(), user: a.UserTime, kernel: a.KernelTime})
	values["cpu_kernel_percent"], values["cpu_user_percent"] = kernel, user
	if m.hz > 0 {
		values["cpu_kernel_hz"] = float64(uint64(kernel * m.cores * m.hz))
		values["cpu_user_hz"] = float64(uint64(user * m.cores * m.hz))
	}
}

// shares returns parts of the machine's time, divided by the number of processors once too often, as Damon did.
func (m *Metrics) shares(now times) (kernel, user float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.at.Sub(m.last.at) >= window {
		m.base, m.last = m.last, now
	}
	span := now.at.Sub(m.base.at).Seconds() * m.cores * m.cores
	if span <= 0 {
		return 0, 0
	}
	return (now.kernel - m.base.kernel).Seconds() / span, (now.user - m.base.user).Seconds() / span
}

// memory is that of the program alone.
func (m *Metrics) memory(values map[string]float64) {
	member, err := m.job.Member(m.root.Load())
	if err != nil {
		return
	}
	defer member.Close() //nolint:errcheck // it was only queried
	memory, err := member.Memory()
	if err != nil {
		return
	}
	values["memory_working_set_bytes"] = float64(memory.WorkingSet)
	values["memory_commit_charge_bytes"] = float64(memory.Commit)
	values["memory_page_fault_total"] = float64(memory.PageFaults)
}

func (m *Metrics) transfers(values map[string]float64) {
	c, err := m.job.IO()
	if err != nil {
		return
	}
	values["io_read_operations_total"], values["io_write_operations_total"] = float64(c.ReadCount), float64(c.WriteCount)
	values["io_other_operations_total"] = float64(c.OtherCount)
	values["io_operations_total"] = float64(c.ReadCount + c.WriteCount + c.OtherCount)
	values["io_read_bytes"], values["io_write_bytes"] = float64(c.ReadBytes), float64(c.WriteBytes)
	values["io_other_bytes"] = float64(c.OtherBytes)
	values["io_total_bytes"] = float64(c.ReadBytes + c.WriteBytes + c.OtherBytes)
}

// names are Damon's series. Those of IO count the operations of a job on files, pipes and devices;
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
