package command

import (
	"context"
	"net"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/siloshim/siloshim/cmd/silo/damon"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/internal/buildinfo"
	"github.com/siloshim/siloshim/stats/prom"
)

// listen opens the address of the metrics, and returns nil without one. As with Damon the program runs without its metrics
// if the port is in use; the log has the error.
func (t *task) listen() net.Listener {
	if t.config.Address == "" {
		return nil
	}
	listener, err := net.Listen("tcp", t.config.Address)
	if err != nil {
		t.log.Error("metrics are not served", "error", err.Error())
		return nil
	}
	t.log.Info("metrics on " + t.url(listener))
	return listener
}

// url is where the metrics are, for the record: silo metrics leaves the container out then.
func (t *task) url(listener net.Listener) string {
	if listener == nil {
		return ""
	}
	return "http://" + listener.Addr().String() + t.config.Endpoint
}

// serve serves Damon's series and those of silo until stop is called.
func (t *task) serve(listener net.Listener, c container.Container, metrics *damon.Metrics, j *journal) (stop func()) {
	if listener == nil {
		return func() {}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(t.ours(c, j))
	if t.config.Compat {
		registry.MustRegister(metrics)
	}
	handler := servePath(t.config.Endpoint, promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // ends with stop, which waits for it
		defer close(done)
		if err := serve(ctx, listener, handler); err != nil {
			t.log.Error("metrics are not served any more", "error", err.Error())
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// ours are the corrected series of the same container, with the same labels. They are all that silo metrics exports of
// another container.
func (t *task) ours(c container.Container, j *journal) *prom.Exporter {
	begun := t.app.Now()
	version, revision := buildinfo.Read()
	return prom.New(prom.Options{
		Version: version, Revision: revision, GoVersion: runtime.Version(), Labels: t.config.Labels, Processors: t.app.Machine.Processors(),
		List: reporting(func() ([]prom.Container, error) {
			ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
			defer cancel()
			s, err := c.Stats(ctx, begun)
			record := j.current()
			e := exportedState(node.Container{Kind: node.Run, Namespace: node.Own, ID: t.name, Status: record.Status, Record: &record})
			e.Sample, e.Unsampled, e.Output = s, err != nil, outputMetrics(record.OutputErrors)
			return []prom.Container{e}, err
		}, func(err error) { t.log.Warn("a scrape does not have the statistics", "error", err.Error()) }),
	})
}
