package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// prometheusDir is the directory of prometheus and promtool. The test is skipped on a machine that cannot have them.
func prometheusDir(t *testing.T) string {
	t.Helper()
	dir, err := testenv.Prometheus(t.Context(), os.Stderr)
	if errors.Is(err, testenv.ErrNoPrometheus) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// promtool runs promtool and returns its output and whether it succeeded.
func promtool(t *testing.T, stdin string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(prometheusDir(t), "promtool"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	text, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text)), err == nil
}

// prometheus is a running server with the rules of deploy/prometheus.
type prometheus struct{ server *testenv.PrometheusServer }

// startPrometheus starts a server that scrapes the addresses of each job. It ends with the test.
func startPrometheus(t *testing.T, root string, jobs map[string][]string) *prometheus {
	t.Helper()
	rules := filepath.Join(root, "deploy", "prometheus", "rules.yaml")
	server, err := testenv.StartPrometheus(prometheusDir(t), t.TempDir(), rules, 500*time.Millisecond, jobs) // a test waits for scrapes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		if text, err := os.ReadFile(server.Log); t.Failed() {
			t.Logf("log of Prometheus: %v\n%.5000s", err, text)
		}
	})
	until(t, "Prometheus is ready", func() bool { return server.Ready() == nil })
	return &prometheus{server}
}

// query evaluates an expression now.
func (p *prometheus) query(t *testing.T, expr string) []testenv.Point {
	t.Helper()
	list, err := p.server.Query(t.Context(), expr)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// until polls an expression with one element until that fulfils a condition, and returns it.
func (p *prometheus) until(t *testing.T, expr string, ok func(float64) bool) (value float64) {
	t.Helper()
	until(t, "Prometheus has the value of "+expr, func() bool {
		list := p.query(t, expr)
		if len(list) != 1 {
			return false
		}
		value = list[0].Value
		return ok(value)
	})
	return value
}
