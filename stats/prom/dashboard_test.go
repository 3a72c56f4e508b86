package prom_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/stats/prom"
)

func TestDashboard_EverySeries_IsExported(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", "containers.json"))
	if err != nil {
		t.Fatal(err)
	}
	ours := scrape(t, exporter([]prom.Container{{Kind: "task", Namespace: "a", ID: "b", Sample: full()}}, nil))
	names := regexp.MustCompile(`silo_[a-z_]+`).FindAllString(string(text), -1)
	if len(names) < 10 {
		t.Fatalf("%d series in the dashboard, want at least 10", len(names))
	}
	for _, name := range names {
		if !strings.Contains(ours, "# TYPE "+name+" ") {
			t.Errorf("the dashboard asks for %s, which is not exported", name)
		}
	}
}
