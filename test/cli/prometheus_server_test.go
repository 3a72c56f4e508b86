package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

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
type prometheus struct{ address string }

// prometheusConfig scrapes often: a test waits for scrapes.
const prometheusConfig = `global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
`

// startPrometheus starts a server that scrapes the addresses of each job. It ends with the test.
func startPrometheus(t *testing.T, root string, jobs map[string][]string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf(prometheusConfig, filepath.Join(root, "deploy", "prometheus", "rules.yaml"))
	for job, addresses := range jobs {
		config += fmt.Sprintf("- {job_name: %s, static_configs: [{targets: ['%s']}]}\n", job, strings.Join(addresses, "', '"))
	}
	file := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &prometheus{address: freePort(t)}
	log := scratch(t)
	cmd := exec.Command(filepath.Join(prometheusDir(t), "prometheus"), "--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.address)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the server
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := <-ended; err != nil {
			t.Errorf("Prometheus: %v", err)
		}
		if text := content(t, log); t.Failed() {
			t.Logf("log of Prometheus:\n%.5000s", text)
		}
	})
	until(t, "Prometheus is ready", func() bool {
		answer, err := http.Get("http://" + p.address + "/-/ready")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return p
}

// point is one element of an answer.
type point struct {
	labels map[string]string
	value  float64
}

// query evaluates an expression now.
func (p *prometheus) query(t *testing.T, expr string) []point {
	t.Helper()
	answer, err := http.PostForm("http://"+p.address+"/api/v1/query", url.Values{"query": {expr}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any // seconds, and a number as text
			}
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Status != "success" {
		t.Fatalf("query %s: %v %s", expr, err, got.Error)
	}
	var list []point
	for _, r := range got.Data.Result {
		value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, point{r.Metric, value})
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
		value = list[0].value
		return ok(value)
	})
	return value
}
