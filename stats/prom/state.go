package prom

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// State is where a container is in its life.
type State struct {
	Status   string // such as running, restarting or exited
	Ended    bool   // it has no job, and so no statistics
	Restarts *int   // by a restart policy; nil if they are not counted
	LastExit *Exit  // nil before the first
}

// Exit is how a container has ended.
type Exit struct {
	Code   uint32
	Reason string // such as exited or killed
	At     time.Time
}

// stateMetric is one value of a state as a Prometheus metric. The names follow those of kube-state-metrics.
type stateMetric struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	// read returns false if the state does not have the value.
	read func(s *State) (value float64, labels []string, ok bool)
}

var stateMetrics = []stateMetric{
	{"status", "The status of the container, such as running, restarting or exited; always 1.", gauge, []string{"status"},
		func(s *State) (float64, []string, bool) { return 1, []string{s.Status}, true }},
	{"restarts_total", "Restarts by the restart policy; missing where silo counts none.", counter, nil,
		func(s *State) (float64, []string, bool) {
			if s.Restarts == nil {
				return 0, nil, false
			}
			return float64(*s.Restarts), nil, true
		}},
	{"last_exit_code", "Exit code of the latest exit of the program; missing before the first.", gauge, nil,
		exit(func(e *Exit) (float64, []string) { return float64(e.Code), nil })},
	{"last_exit_reason", "Reason of the latest exit, such as exited or killed; always 1.", gauge, []string{"reason"},
		exit(func(e *Exit) (float64, []string) { return 1, []string{e.Reason} })},
	{"last_exit_timestamp_seconds", "When the program exited last, in seconds since 1970.", gauge, nil,
		exit(func(e *Exit) (float64, []string) { return float64(e.At.UnixNano()) / 1e9, nil })},
}

func exit(value func(*Exit) (float64, []string)) func(*State) (float64, []string, bool) {
	return func(s *State) (float64, []string, bool) {
		if s.LastExit == nil {
			return 0, nil, false
		}
		v, labels := value(s.LastExit)
		return v, labels, true
	}
}

// stateSeries is one metric with its description.
type stateSeries struct {
	stateMetric
	desc *prometheus.Desc
}

func (e *Exporter) collectState(to chan<- prometheus.Metric, c *Container, container []string) {
	if c.State == nil {
		return
	}
	for _, s := range e.states {
		if value, labels, ok := s.read(c.State); ok {
			to <- prometheus.MustNewConstMetric(s.desc, s.kind, value, slices.Concat(container, labels)...)
		}
	}
}
