package prom_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/stats/prom"
)

// TestDashboard_Panels_AreThoseOfSiloDashboard: what the page of silo dashboard plots of the machine and of each container is
// here too, with the limits.
func TestDashboard_Panels_AreThoseOfSiloDashboard(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", "containers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	ids, queries := map[int]string{}, map[string]string{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] != "" {
			t.Errorf("panels %q and %q have the id %d", p.Title, ids[p.ID], p.ID)
		}
		ids[p.ID] = p.Title
		for _, target := range p.Targets {
			queries[p.Title] += target.Expr + "\n"
		}
	}
	for title, series := range map[string][]string{
		"Machine: processors in use":    {"sum by (instance)", "silo_container_cpu_usage_seconds_total", "silo_processors"},
		"Machine: private working set":  {"sum by (instance)", "private_working_set_bytes"},
		"Machine: commit":               {"sum by (instance)", "usage_commit_bytes"},
		"Machine: I/O":                  {"sum by (instance)", "storage_read_size_bytes_total", "storage_write_size_bytes_total"},
		"Processors in use, and limits": {"silo_container_cpu_usage_seconds_total", "silo_container_cpu_limit_ratio", "silo_processors"},
		"Private working set":           {"private_working_set_bytes"},
		"Commit, and limits":            {"usage_commit_bytes", "silo_container_memory_limit_bytes"},
		"I/O":                           {"storage_read_size_bytes_total", "storage_write_size_bytes_total"},
		"Restarts":                      {"silo_container_restarts_total"},
		"Exits of processes":            {"processes_started_total"},
		"Limits that were reached":      {"processes_ended_by_limit_total", "limit_violations_memory_total"},
	} {
		for _, name := range series {
			if !strings.Contains(queries[title], name) {
				t.Errorf("panel %q does not query %s", title, name)
			}
		}
	}
}

// recorded finds what a rule records, under the names of what it is made from.
var recorded = regexp.MustCompile(`[a-z]+:silo_\w+:\w+`)

func TestDeploy_EverySeries_IsExported(t *testing.T) {
	state := &prom.State{Restarts: new(1)}
	ours := scrape(t, exporter([]prom.Container{{Kind: "task", Namespace: "a", ID: "b", Sample: full(), State: state, Output: new(prom.Output)}}, nil))
	for _, file := range []string{"grafana/containers.json", "prometheus/rules.yaml", "prometheus/rules_test.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`silo_[a-z_]+`).FindAllString(recorded.ReplaceAllString(string(text), ""), -1)
		if len(names) < 10 {
			t.Fatalf("%d series in %s, want at least 10", len(names), file)
		}
		for _, name := range names {
			if !strings.Contains(ours, "# TYPE "+name+" ") {
				t.Errorf("%s queries %s, which is not exported", file, name)
			}
		}
	}
}

// TestDashboard_Variables_SelectPodsAndContainersWithoutPod: a container without a pod has no such label, so All must not be
// the list of the pods.
func TestDashboard_Variables_SelectPodsAndContainersWithoutPod(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", "containers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Templating struct {
			List []struct{ Name, AllValue string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, v := range dashboard.Templating.List {
		all[v.Name] = v.AllValue
	}
	if all["pod"] != ".*" {
		t.Errorf("the variables are %v, want pod with .* for all", all)
	}
	selector := regexp.MustCompile(`silo_container_[a-z_]+(\{[^}]*\})?`)
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			for _, series := range selector.FindAllString(target.Expr, -1) {
				if !strings.Contains(series, `namespace=~"$namespace",pod=~"$pod"`) {
					t.Errorf("panel %q: %s is not selected by namespace and pod", p.Title, series)
				}
			}
			if strings.Contains(target.LegendFormat, "container_id") && !strings.Contains(target.LegendFormat, "{{pod}} {{container}}") {
				t.Errorf("panel %q: the legend %q has no pod", p.Title, target.LegendFormat)
			}
		}
	}
}
