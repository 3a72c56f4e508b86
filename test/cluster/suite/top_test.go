package suite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// paced are the processor time and the memory that the programs of the case use, in thousandths and in MiB, by handler.
var paced = map[string][2]int{testenv.SiloHandler: {40, 32}, testenv.SandboxHandler: {80, 64}}

// top: kubectl top, by metrics-server, shows what the program itself reports, and so does Prometheus, which scrapes silo metrics.
func (c *suite) top(t *testing.T) {
	stop, err := c.StartMetrics(t.Context())
	if errors.Is(err, kube.ErrNotBuilt) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	server := c.prometheus(t)
	namespace := c.namespace(t)
	for h, p := range paced {
		main := payload("main", "pace", strconv.Itoa(p[0]), strconv.Itoa(p[1]))
		c.create(t, namespace, "pods", pod(h, podSpec(h, main, payload("idle", "sleep", "86400"))))
	}
	c.pods(t, namespace, len(paced), "ready", ready)
	for h := range paced {
		until(t, "kubectl top, Prometheus and the program agree on "+h, func() (bool, error) { return c.agree(t, namespace, h, server) })
	}
	t.Logf("kubectl top pod\n%s", c.kubectl(t, "-n", namespace, "top", "pod"))
	t.Logf("kubectl top pod --containers\n%s", c.kubectl(t, "-n", namespace, "top", "pod", "--containers"))
	t.Logf("kubectl top node\n%s", c.kubectl(t, "top", "node"))
}

// prometheus starts a Prometheus that scrapes silo metrics of the node.
func (c *suite) prometheus(t *testing.T) *testenv.PrometheusServer {
	t.Helper()
	programs, err := testenv.Prometheus(t.Context(), os.Stderr)
	if err != nil {
		t.Skip(err)
	}
	rules := filepath.Join(c.Wine.Root(), "deploy", "prometheus", "rules.yaml")
	server, err := testenv.StartPrometheus(programs, t.TempDir(), rules, time.Second, map[string][]string{"silo": {c.Metrics}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	until(t, "Prometheus is ready", func() (bool, error) { err := server.Ready(); return err == nil, err })
	return server
}

// usage is processor time in thousandths of a processor, and memory in MiB.
type usage struct{ cpu, memory float64 }

func (u usage) String() string { return fmt.Sprintf("%.0fm %.0fMi", u.cpu, u.memory) }

// near reports whether two differ by less than a fifth, or than kubectl rounds.
func (u usage) near(v usage) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) < max(b/5, 2) }
	return near(u.cpu, v.cpu) && near(u.memory, v.memory)
}

// topRow matches the row of the container main in kubectl top pod --containers.
var topRow = regexp.MustCompile(`(?m)^\S+\s+main\s+(\d+)m\s+(\d+)Mi\s*$`)

// agree compares the answers for the program in the pod of a handler: of kubectl, of the API behind it, of Prometheus, and of the program. Those
// that are rates are over the time that the API gives.
func (c *suite) agree(t *testing.T, namespace, name string, server *testenv.PrometheusServer) (bool, error) {
	// metrics-server may scrape between two requests. Then the answers differ, and the case repeats both.
	shown := c.try(t, "", "-n", namespace, "top", "pod", name, "--containers", "--no-headers")
	row := topRow.FindStringSubmatch(shown.stdout)
	if shown.code != 0 || row == nil {
		return false, fmt.Errorf("kubectl top pod: exit %d: %s%s", shown.code, shown.stdout, shown.stderr)
	}
	var kubectl usage
	kubectl.cpu, _ = strconv.ParseFloat(row[1], 64) // digits
	kubectl.memory, _ = strconv.ParseFloat(row[2], 64)
	var metrics struct {
		Timestamp time.Time
		Window    string
	}
	if err := c.Get(t.Context(), "apis/metrics.k8s.io/v1beta1/namespaces/"+namespace+"/pods/"+name, &metrics); err != nil {
		return false, err
	}
	window, err := time.ParseDuration(metrics.Window)
	if err != nil {
		return false, err
	}
	program, err := paceOf(c.kubectl(t, "-n", namespace, "logs", name, "-c", "main"), metrics.Timestamp, window)
	if err != nil {
		return false, err
	}
	labels := fmt.Sprintf(`{namespace=%q,pod=%q,container="main"}`, namespace, name)
	at := fmt.Sprintf("@ %d", metrics.Timestamp.Unix())
	var prometheus usage
	for expr, into := range map[string]*float64{
		fmt.Sprintf("1000 * rate(silo_container_cpu_usage_seconds_total%s[%ds] %s)", labels, int(window.Seconds()), at): &prometheus.cpu,
		fmt.Sprintf("silo_container_memory_usage_private_working_set_bytes%s %s / 2^20", labels, at):                    &prometheus.memory,
	} {
		list, err := server.Query(t.Context(), expr)
		if err != nil {
			return false, err
		}
		if len(list) != 1 {
			return false, fmt.Errorf("%d answers to %s", len(list), expr)
		}
		*into = list[0].Value
	}
	line := fmt.Sprintf("%s, %v until %s: kubectl top %v, Prometheus %v, the program %v", name, window, metrics.Timestamp.Format(time.TimeOnly), kubectl, prometheus, program)
	if !kubectl.near(program) || !prometheus.near(program) {
		return false, errors.New(line)
	}
	t.Log(line)
	return true, nil
}

// paceOf is what the program of payload pace has printed of a period.
func paceOf(log string, end time.Time, period time.Duration) (usage, error) {
	var first, last [3]float64 // seconds, milliseconds of processor time, bytes
	for line := range strings.Lines(log) {
		var now [3]float64
		if _, err := fmt.Sscan(line, &now[0], &now[1], &now[2]); err != nil {
			return usage{}, fmt.Errorf("log has the line %q: %w", line, err)
		}
		now[0] /= 1000
		if now[0] <= float64(end.Add(-period).Unix()) || first[0] == 0 {
			first = now
		}
		if now[0] <= float64(end.Unix())+1 {
			last = now
		}
	}
	if last[0]-first[0] < period.Seconds()/2 {
		return usage{}, fmt.Errorf("the program has printed nothing of the %v until %v", period, end)
	}
	return usage{(last[1] - first[1]) / (last[0] - first[0]), last[2] / (1 << 20)}, nil
}
