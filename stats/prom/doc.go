// Package prom exports the statistics of containers to Prometheus, straight from package stats.
//
//	List() ─► []Container ─► Exporter (a [prometheus.Collector]) ─► silo_container_…{namespace,container_id,kind}
//
// Names follow the stems of windows_exporter, with the prefix silo, base units, and _total on every counter. Each scrape
// asks anew and nothing is kept. A figure that is missing in a sample has no series, never a zero.
//
// Figures are those of the whole container. See https://prometheus.io/docs/practices/naming/.
package prom
