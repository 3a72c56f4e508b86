// Package prom exports the statistics of containers to Prometheus.
//
//	List() ─► []Container ─► Exporter (a [prometheus.Collector]) ─► silo_container_…{namespace,pod,container,container_id,kind}
//
// Names follow those of windows_exporter, with the prefix silo, base units, and _total on every counter. Each scrape
// calls List and nothing is cached. A metric that is missing in a sample has no series, never a zero. All values are
// those of the whole container. See https://prometheus.io/docs/practices/naming/ and
// https://github.com/prometheus-community/windows_exporter.
package prom

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/siloshim/siloshim/stats"
)

// Container is one container at the moment of a scrape.
type Container struct {
	Kind, Namespace, ID string
	Pod                 *Pod // nil if it has none
	Sample              stats.Sample
	State               *State  // nil if it is unknown
	Output              *Output // nil if the exporter does not know it
	Unsampled           bool    // its statistics could not be queried: Sample is empty
	// Exporter is where another exporter has the container. This one then leaves it out, so that a sum over both counts it
	// once. Empty otherwise.
	Exporter string
}

// Output has the numbers of what a container has printed and its supervisor could not deliver.
type Output struct {
	LostBytes uint64
	Failing   int // destinations that do not take output now
}

// Options of an [Exporter].
type Options struct {
	// List samples all containers. It must bound the time that it takes, and be safe for concurrent use. What it returns
	// beside an error is exported; the error counts in silo_scrape_errors_total.
	List func() ([]Container, error)
	// Version, Revision and GoVersion are labels of silo_build_info.
	Version, Revision, GoVersion string
	// Processors is the value of silo_processors; 0 leaves it out.
	Processors int
	// Labels are constant labels of every series.
	Labels prometheus.Labels
}

// Exporter is a [prometheus.Collector] over all containers. It is safe for concurrent use.
type Exporter struct {
	// Immutable after New.
	list    func() ([]Container, error)
	series  []series
	states  []stateSeries
	lost    *prometheus.Desc
	failing *prometheus.Desc
	count   *prometheus.Desc
	others  *prometheus.Desc
	build   prometheus.Gauge
	failure prometheus.Counter
	// processors is nil if their number is unknown.
	processors prometheus.Gauge
}

var _ prometheus.Collector = (*Exporter)(nil)

// New makes an exporter. The caller registers it.
func New(o Options) *Exporter {
	e := &Exporter{
		list:  o.List,
		count: prometheus.NewDesc("silo_containers", "Containers of this exporter that have not ended.", nil, o.Labels),
		others: prometheus.NewDesc("silo_containers_elsewhere",
			"Containers that this exporter leaves out, because silo supervise exports them at another address.", nil, o.Labels),
		lost: prometheus.NewDesc("silo_container_output_lost_bytes_total",
			"Output that was discarded because a log or a terminal did not take it; missing for containers of other supervisors.", labels, o.Labels),
		failing: prometheus.NewDesc("silo_container_output_failing",
			"Logs and terminals that do not take output, or a log that is not rotated, now.", labels, o.Labels),
		build: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "silo_build_info", Help: "The build that exports this; always 1.",
			ConstLabels: merge(o.Labels, prometheus.Labels{"version": o.Version, "revision": o.Revision, "goversion": o.GoVersion}),
		}),
		failure: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "silo_scrape_errors_total", Help: "Scrapes that could not sample every container.", ConstLabels: o.Labels,
		}),
	}
	e.build.Set(1)
	if o.Processors > 0 {
		e.processors = prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "silo_processors", Help: "Logical processors of this machine, of which silo_container_cpu_limit_ratio is a part.", ConstLabels: o.Labels,
		})
		e.processors.Set(float64(o.Processors))
	}
	for _, m := range metrics {
		e.series = append(e.series, series{metric: m, desc: prometheus.NewDesc("silo_container_"+m.name, m.help, labels, o.Labels)})
	}
	for _, m := range stateMetrics {
		desc := prometheus.NewDesc("silo_container_"+m.name, m.help, slices.Concat(labels, m.labels), o.Labels)
		e.states = append(e.states, stateSeries{stateMetric: m, desc: desc})
	}
	return e
}

func merge(sets ...prometheus.Labels) prometheus.Labels {
	all := prometheus.Labels{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}

// series is one metric with its description.
type series struct {
	metric
	desc *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (e *Exporter) Describe(to chan<- *prometheus.Desc) {
	to <- e.count
	to <- e.others
	for _, s := range e.series {
		to <- s.desc
	}
	for _, s := range e.states {
		to <- s.desc
	}
	to <- e.lost
	to <- e.failing
	e.build.Describe(to)
	e.failure.Describe(to)
	if e.processors != nil {
		e.processors.Describe(to)
	}
}

// Collect implements [prometheus.Collector].
func (e *Exporter) Collect(to chan<- prometheus.Metric) {
	containers, err := e.list()
	if err != nil {
		e.failure.Inc()
	}
	living, elsewhere, used := 0, 0, map[string]bool{}
	for i := range containers {
		c := &containers[i]
		if c.Exporter != "" {
			elsewhere++
			continue
		}
		values := c.labelValues(used)
		e.collectState(to, c, values)
		if c.State == nil || !c.State.Ended {
			living++
			if !c.Unsampled {
				e.collectSample(to, c, values)
			}
		}
		if c.Output != nil {
			to <- prometheus.MustNewConstMetric(e.lost, counter, float64(c.Output.LostBytes), values...)
			to <- prometheus.MustNewConstMetric(e.failing, gauge, float64(c.Output.Failing), values...)
		}
	}
	to <- prometheus.MustNewConstMetric(e.count, gauge, float64(living))
	to <- prometheus.MustNewConstMetric(e.others, gauge, float64(elsewhere))
	e.build.Collect(to)
	e.failure.Collect(to)
	if e.processors != nil {
		e.processors.Collect(to)
	}
}

func (e *Exporter) collectSample(to chan<- prometheus.Metric, c *Container, container []string) {
	for _, s := range e.series {
		if value, ok := s.read(&c.Sample); ok {
			to <- prometheus.MustNewConstMetric(s.desc, s.kind, value, container...)
		}
	}
}
