package command

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/siloshim/siloshim/cmd/silo/damon"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/stats"
)

// refusing is a container without statistics.
type refusing struct{ container.Container }

func (refusing) Stats(context.Context, time.Time) (stats.Sample, error) {
	return stats.Sample{}, errors.New("the kernel refuses")
}

func TestSupervise_StatsFail_StateIsExportedAndErrorLogged(t *testing.T) {
	var log strings.Builder
	s := &task{
		app: &App{Now: time.Now}, name: "web-1", log: slog.New(slog.NewTextHandler(&log, nil)),
		config: &damon.Config{Labels: prometheus.Labels{"nomad_dc": "dc1"}},
	}
	j := newJournal(node.Records{}, &node.Record{Kind: node.Run, ID: s.name, Status: node.Running})
	defer func() {
		if err := j.close(); err != nil {
			t.Error(err)
		}
	}()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.ours(refusing{}, j))
	for name, want := range map[string]int{
		"silo_containers": 1, "silo_container_status": 1, "silo_container_restarts_total": 1, "silo_container_output_lost_bytes_total": 1,
		"silo_container_fallbacks_total": 0, "silo_container_metrics_missing": 0,
	} {
		if n, err := testutil.GatherAndCount(registry, name); err != nil || n != want {
			t.Errorf("%d series of %s, %v; want %d", n, name, err, want)
		}
	}
	if n := strings.Count(log.String(), "the kernel refuses"); n != 1 {
		t.Errorf("the same error is in the log %d times, want once:\n%s", n, &log)
	}
}
