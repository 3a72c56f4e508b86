package prom_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
	"github.com/siloshim/siloshim/stats/prom"
)

// A program exports the container that it runs. Here the kernel is simulated.
func Example() {
	kernel := jobtest.New()
	job, err := jobobject.Create(jobobject.Options{Name: "web", Kernel: kernel})
	if err != nil {
		panic(err)
	}
	defer job.Close()
	if _, err := kernel.Place("web", "server.exe", jobtest.Self); err != nil {
		panic(err)
	}
	collector := stats.NewCollector(job, stats.Options{KeepHandles: true})
	defer collector.Release()
	exporter := prom.New(prom.Options{
		List: func() ([]prom.Container, error) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			sample, err := collector.Sample(ctx, time.Time{})
			return []prom.Container{{Kind: "run", Namespace: "silo", ID: "web", Sample: sample}}, err
		},
	})
	prometheus.NewRegistry().MustRegister(exporter)
	want := `# HELP silo_container_processes Processes now.
# TYPE silo_container_processes gauge
silo_container_processes{container="",container_id="web",kind="run",namespace="silo",pod=""} 1
`
	fmt.Println(testutil.CollectAndCompare(exporter, strings.NewReader(want), "silo_container_processes"))
	// Output:
	// <nil>
}
