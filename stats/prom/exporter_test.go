package prom_test

import (
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/siloshim/siloshim/stats"
	"github.com/siloshim/siloshim/stats/prom"
)

var update = flag.Bool("update", false, "write the goldens")

// full is a sample with a different value for every metric.
func full() stats.Sample {
	s := stats.Sample{
		Started:   time.Unix(1700000000, 0),
		Processor: stats.Processor{User: 3 * time.Second, Kernel: 500 * time.Millisecond},
		Memory:    stats.Memory{Commit: 64 << 20, PeakCommit: 65 << 20, PrivateWorkingSet: 10 << 20, WorkingSet: 12 << 20, PageFaults: 77},
		Storage:   stats.Storage{Reads: 1, ReadBytes: 4096, Writes: 2, WriteBytes: 8192},
		Processes: stats.ProcessCounts{Active: 3, Total: 9, Terminated: 1},
		Limits:    stats.Limits{CommitBytes: 128 << 20, ProcessorRate: 2500},
		Fallbacks: 4, Violations: stats.Violations{Memory: 5, Processes: 6, Time: 7, Other: 8},
	}
	for f := range s.Metrics {
		s.Metrics[f] = stats.Provenance{Source: stats.SourceJob, Quality: stats.Exact}
	}
	return s
}

func exporter(containers []prom.Container, err error) *prom.Exporter {
	return prom.New(prom.Options{
		List:    func() ([]prom.Container, error) { return containers, err },
		Version: "1.2.3", Revision: "abc", GoVersion: "go1", Processors: 8,
	})
}

func scrape(t *testing.T, e *prom.Exporter) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(e)
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != 200 {
		t.Fatal(answer.Code, answer.Body)
	}
	return answer.Body.String()
}

func TestExporter_Scrape_IsAsTheGolden(t *testing.T) {
	lacking := full()
	lacking.Metrics[stats.MetricStorage] = stats.Provenance{Err: errors.New("the kernel keeps no count")}
	lacking.Limits, lacking.Violations = stats.Limits{}, stats.Violations{}
	lacking.Metrics[stats.MetricViolations] = stats.Provenance{}
	got := scrape(t, exporter([]prom.Container{
		{Kind: "task", Namespace: "k8s.io", ID: "web", Sample: full()},
		{Kind: "task", Namespace: "k8s.io", ID: "4711", Sample: full(), Pod: &prom.Pod{Namespace: "shop", Name: "web-x2x5z", Container: "app"}},
		{Kind: "server", Namespace: "hcs", ID: "4712", Sample: lacking, Pod: &prom.Pod{Namespace: "shop", Name: "web-x2x5z"}},
		{Kind: "run", Namespace: "silo", ID: `odd "name"`, Sample: lacking, Output: &prom.Output{LostBytes: 12, Failing: 1}, State: &prom.State{
			Status: "restarting", Restarts: new(3), LastExit: &prom.Exit{Code: 0xC0000005, Reason: "exited", At: time.Unix(1700000100, 0)},
		}},
		{Kind: "run", Namespace: "silo", ID: "over", State: &prom.State{
			Status: "exited", Ended: true, Restarts: new(0), LastExit: &prom.Exit{Code: 137, Reason: "killed", At: time.Unix(1700000200, 0)},
		}},
		{Kind: "run", Namespace: "silo", ID: "lost", State: &prom.State{Status: "lost", Ended: true}},
		{Kind: "run", Namespace: "silo", ID: "task", Exporter: "http://127.0.0.1:9100/metrics"},
	}, nil))
	path := filepath.Join("testdata", "metrics.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("metrics (-want +got), -update writes them:\n%s", diff)
	}
}

func TestExporter_Scrape_HasNoLint(t *testing.T) {
	state := &prom.State{Status: "running", Restarts: new(1), LastExit: &prom.Exit{Reason: "exited"}}
	problems, err := testutil.CollectAndLint(exporter([]prom.Container{{Kind: "task", Namespace: "a", ID: "b", Sample: full(), State: state, Output: new(prom.Output)}}, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestExporter_MetricMissing_HasNoSeries(t *testing.T) {
	text := scrape(t, exporter([]prom.Container{{Kind: "task", Namespace: "a", ID: "b"}}, nil))
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "silo_container_memory") || strings.HasPrefix(line, "silo_container_cpu") {
			t.Errorf("a series of a metric that is missing: %s", line)
		}
	}
	if !strings.Contains(text, "silo_container_metrics_missing{container=\"\",container_id=\"b\",kind=\"task\",namespace=\"a\",pod=\"\"} 8\n") {
		t.Errorf("the missing metrics are not counted:\n%s", text)
	}
}

func TestExporter_ListFails_ErrorIsCountedAndTheRestIsExported(t *testing.T) {
	text := scrape(t, exporter([]prom.Container{{Kind: "task", Namespace: "a", ID: "b", Sample: full()}}, errors.New("one refused")))
	for _, want := range []string{"silo_scrape_errors_total 1\n", "silo_containers 1\n", "silo_container_processes{"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
