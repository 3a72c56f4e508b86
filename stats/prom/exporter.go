package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/siloshim/siloshim/stats"
)

// Container is one container at the moment of a scrape.
type Container struct {
	Kind, Namespace, ID string
	Sample              stats.Sample
}

// Options of an [Exporter].
type Options struct {
	// List samples all containers. Those that it has are exported even if it returns an error, too, which counts in
	// silo_scrape_errors_total. It must be safe for concurrent use.
	List func() ([]Container, error)
	// Version and Revision go to silo_build_info.
	Version, Revision, GoVersion string
	// Labels are on every series.
	Labels prometheus.Labels
}

// Exporter is a [prometheus.Collector] over all containers. It is safe for concurrent use.
type Exporter struct {
	// Immutable after New.
	list    func() ([]Container, error)
	series  []series
	count   *prometheus.Desc
	build   prometheus.Gauge
	failure prometheus.Counter
}

var _ prometheus.Collector = (*Exporter)(nil)

// labels name a container.
var labels = []string{"namespace", "container_id", "kind"}

// New makes an exporter.
func New(o Options) *Exporter {
	e := &Exporter{
		list:  o.List,
		count: prometheus.NewDesc("silo_containers", "Containers on this machine.", nil, o.Labels),
		build: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "silo_build_info", Help: "The build that exports this; always 1.",
			ConstLabels: merge(o.Labels, prometheus.Labels{"version": o.Version, "revision": o.Revision, "goversion": o.GoVersion}),
		}),
		failure: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "silo_scrape_errors_total", Help: "Scrapes that could not sample every container.", ConstLabels: o.Labels,
		}),
	}
	e.build.Set(1)
	for _, f := range figures {
		e.series = append(e.series, series{figure: f, desc: prometheus.NewDesc("silo_container_"+f.name, f.help, labels, o.Labels)})
	}
	return e
}

func merge(sets ...prometheus.Labels) prometheus.Labels {
	all := prometheus.Labels{}
	for _, set := range sets {
		for name, value := range set {
			all[name] = value
		}
	}
	return all
}

// series is one figure with its description.
type series struct {
	figure
	desc *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (e *Exporter) Describe(to chan<- *prometheus.Desc) {
	to <- e.count
	for _, s := range e.series {
		to <- s.desc
	}
	e.build.Describe(to)
	e.failure.Describe(to)
}

// Collect implements [prometheus.Collector].
func (e *Exporter) Collect(to chan<- prometheus.Metric) {
	containers, err := e.list()
	if err != nil {
		e.failure.Inc()
	}
	to <- prometheus.MustNewConstMetric(e.count, prometheus.GaugeValue, float64(len(containers)))
	for i := range containers {
		c := &containers[i]
		for _, s := range e.series {
			if value, ok := s.read(&c.Sample); ok {
				to <- prometheus.MustNewConstMetric(s.desc, s.kind, value, c.Namespace, c.ID, c.Kind)
			}
		}
	}
	e.build.Collect(to)
	e.failure.Collect(to)
}
