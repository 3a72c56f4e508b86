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
	defer j.close() //nolint:errcheck // nothing was written
	exporter := s.ours(refusing{}, j)
	want := `
# HELP silo_container_restarts_total Restarts by the restart policy; missing where silo counts none.
# TYPE silo_container_restarts_total counter
silo_container_restarts_total{container_id="web-1",kind="run",namespace="silo",nomad_dc="dc1"} 0
# HELP silo_container_status The status of the container, such as running, restarting or exited; always 1.
# TYPE silo_container_status gauge
silo_container_status{container_id="web-1",kind="run",namespace="silo",nomad_dc="dc1",status="running"} 1
# HELP silo_containers Containers of this exporter that have not ended.
# TYPE silo_containers gauge
silo_containers{nomad_dc="dc1"} 1
# HELP silo_scrape_errors_total Scrapes that could not sample every container.
# TYPE silo_scrape_errors_total counter
silo_scrape_errors_total{nomad_dc="dc1"} 1
`
	if err := testutil.CollectAndCompare(exporter, strings.NewReader(want), "silo_containers", "silo_container_status",
		"silo_container_restarts_total", "silo_scrape_errors_total", "silo_container_fallbacks_total", "silo_container_metrics_missing"); err != nil {
		t.Error(err)
	}
	testutil.CollectAndCount(exporter)
	if n := strings.Count(log.String(), "the kernel refuses"); n != 1 {
		t.Errorf("the same error is in the log %d times, want once:\n%s", n, &log)
	}
}
