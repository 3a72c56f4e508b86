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

// serve serves Damon's series and those of silo until stop is called. As with Damon the program runs without its metrics
// if the port is in use; the log has the error.
func (t *task) serve(c container.Container, metrics *damon.Metrics) (stop func()) {
	if t.config.Address == "" {
		return func() {}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics, t.ours(c))
	listener, err := net.Listen("tcp", t.config.Address)
	if err != nil {
		t.log.Error("metrics are not served", "error", err.Error())
		return func() {}
	}
	t.log.Info("metrics on http://" + listener.Addr().String() + t.config.Endpoint)
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

// ours are the corrected series of the same container, with the same labels.
func (t *task) ours(c container.Container) *prom.Exporter {
	begun := t.app.Now()
	version, revision := buildinfo.Read()
	return prom.New(prom.Options{
		Version: version, Revision: revision, GoVersion: runtime.Version(), Labels: t.config.Labels,
		List: func() ([]prom.Container, error) {
			ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
			defer cancel()
			s, err := c.Stats(ctx, begun)
			return []prom.Container{{Kind: string(node.Run), Namespace: node.Own, ID: t.name, Sample: s, Output: outputMetrics(t.outputs.errors())}}, err
		},
	})
}
