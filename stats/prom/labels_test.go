package prom_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/siloshim/siloshim/stats/prom"
)

func TestExporter_ContainerOfAPod_HasLabelsOfCAdvisor(t *testing.T) {
	pod := &prom.Pod{Namespace: "shop", Name: "web", Container: "app"}
	for want, c := range map[string]prom.Container{
		`silo_container_processes{container="app",container_id="1",kind="task",namespace="shop",pod="web"} 3`: {Kind: "task", Namespace: "k8s.io", ID: "1", Pod: pod},
		`silo_container_processes{container="",container_id="1",kind="server",namespace="shop",pod="web"} 3`:  {Kind: "server", Namespace: "hcs", ID: "1", Pod: &prom.Pod{Namespace: "shop", Name: "web"}},
		`silo_container_processes{container="",container_id="1",kind="task",namespace="k8s.io",pod=""} 3`:     {Kind: "task", Namespace: "k8s.io", ID: "1"},
		`silo_container_processes{container="",container_id="1",kind="task",namespace="a",pod=""} 3`:          {Kind: "task", Namespace: "a", ID: "1", Pod: &prom.Pod{Namespace: "shop"}},
	} {
		c.Sample = full()
		if text := scrape(t, exporter([]prom.Container{c}, nil)); !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// TestExporter_SamePodTwice_ScrapeSucceeds: annotations of containers that no kubelet has made may name any pod.
func TestExporter_SamePodTwice_ScrapeSucceeds(t *testing.T) {
	pod := &prom.Pod{Namespace: "shop", Name: "web", Container: "app"}
	state := &prom.State{Status: "running", Restarts: new(1), LastExit: &prom.Exit{Reason: "exited"}}
	var list []prom.Container
	for _, namespace := range []string{"a", "b", "c"} {
		list = append(list, prom.Container{Kind: "task", Namespace: namespace, ID: "1", Pod: pod, Sample: full(), State: state, Output: new(prom.Output)})
	}
	list = append(list, prom.Container{Kind: "task", Namespace: "shop", ID: "1", Sample: full(), State: state})
	e := exporter(list, nil)
	scrape(t, e)
	if n, err := testutil.GatherAndCount(gatherer(t, e), "silo_container_processes"); err != nil || n != len(list) {
		t.Errorf("%d series, %v; want one for each of %d containers", n, err, len(list))
	}
}

func gatherer(t *testing.T, e *prom.Exporter) prometheus.Gatherer {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(e); err != nil {
		t.Fatal(err)
	}
	return r
}
