package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// scraped is a machine with containers, their exporters, and a Prometheus that scrapes these.
type scraped struct {
	*silo
	*prometheus
	metrics string // the address of silo metrics
	plain   string // a container of silo run, which no other exporter has
	crashed string // one that has ended after three restarts
	dir     string
	task    *os.File // the output of the supervised program
	// supervised are the addresses of silo supervise, with Damon's series and without them.
	supervised [2]string
}

// newScraped starts all of it.
func newScraped(t *testing.T) *scraped {
	t.Helper()
	prometheusDir(t) // skips before containers are started
	s := &scraped{silo: newSilo(t), metrics: freePort(t), dir: t.TempDir(), supervised: [2]string{freePort(t), freePort(t)}}
	s.plain, s.crashed = fmt.Sprintf("cli-scraped-%d", os.Getpid()), fmt.Sprintf("cli-crashed-%d", os.Getpid())
	s.spend(t, "first")
	s.start(t, s.crashed, "run", "--detach", "--name", s.crashed, "--restart", "on-failure:3", "--", workload.Payload, "exit", "3")
	s.task = s.background(t, s.supervise(0), "supervise", workload.Payload, "alloc", "256", "3600")
	s.background(t, append(s.supervise(1), "DAMON_METRICS_COMPAT=n"), "supervise", workload.Payload, "sleep", "3600")
	for _, address := range s.supervised { // a record that silo metrics reads has the address
		scrape(t, address, "silo_container_processes{")
	}
	s.background(t, nil, "metrics", "--listen", s.metrics)
	s.prometheus = startPrometheus(t, s.wine.Root(), map[string][]string{
		"silo": {s.metrics}, "silo-supervise": s.supervised[:], "silo-absent": {freePort(t)},
	})
	return s
}

// supervise is the environment of a task.
func (s *scraped) supervise(i int) []string {
	return []string{
		"DAMON_ADDR=" + s.supervised[i], "DAMON_LOG_DIR=" + s.wine.WindowsPath(s.dir), fmt.Sprintf("NOMAD_TASK_NAME=scraped%d", i),
		"NOMAD_DC=dc1", "NOMAD_CPU_LIMIT=1024", "NOMAD_MEMORY_LIMIT=1024",
	}
}

// background runs silo until the end of the test, and returns its output.
func (s *scraped) background(t *testing.T, env []string, args ...string) *os.File {
	t.Helper()
	cmd := s.command(t, s.exe, env, args...)
	out := scratch(t)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed, and its program with it
	})
	return out
}

// spend starts the plain container, whose program waits for a file.
func (s *scraped) spend(t *testing.T, file string) {
	t.Helper()
	s.detach(t, s.plain, "spend", s.wine.WindowsPath(filepath.Join(s.dir, file)), "1000", "3600")
}

// spent lets the program of the plain container use processor time, and returns what it reports, in seconds.
func (s *scraped) spent(t *testing.T, file string) (seconds float64) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, file), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, "the program has used its processor time", func() bool {
		_, err := fmt.Sscan(s.run(t, "logs", s.plain), &seconds)
		return err == nil
	})
	return seconds / 1000
}

// within fails the test if a value differs by more than a part of the expected one.
func within(t *testing.T, what string, got, want, part float64) {
	t.Helper()
	t.Logf("%s: Prometheus %v, the program %v", what, got, want)
	if math.Abs(got-want) > part*want {
		t.Errorf("%s is %v, want %v within %v %%", what, got, want, 100*part)
	}
}

func TestPrometheus_Server_HasWhatProgramsReport(t *testing.T) {
	s := newScraped(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *scraped)
	}{
		{"exporters/are up", exportersUp},
		{"promtool/check metrics/is clean", promtoolMetrics},
		{"memory/as the program reports", memoryValue},
		{"containers/each in one exporter", containersOnce},
		{"restarts/as silo inspect", restartsCounted},
		{"processor time/increase and reset", processorTime},
		{"rules/record", rulesRecord},
		{"Grafana/each query has data", grafanaQueries},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, s) })
	}
}

func exportersUp(t *testing.T, s *scraped) {
	s.until(t, `sum(up{job=~"silo|silo-supervise"})`, func(v float64) bool { return v == 3 })
	s.until(t, `up{job="silo-absent"}`, func(v float64) bool { return v == 0 })
}

// damonComplaint is what promtool says of Damon's names; docs/metrics.md lists them.
var damonComplaint = regexp.MustCompile(`^(damon_\w+) (.*)$`)

func promtoolMetrics(t *testing.T, s *scraped) {
	page, err := os.ReadFile(filepath.Join(s.wine.Root(), "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{s.metrics, s.supervised[1]} {
		out, ok := promtool(t, scrape(t, address, "silo_container_processes{"), "check", "metrics")
		t.Logf("promtool check metrics of %s: %q", address, out)
		if out != "" || !ok {
			t.Errorf("%s: promtool complains: %s", address, out)
		}
	}
	out, _ := promtool(t, scrape(t, s.supervised[0], "damon_memory_limit_bytes{"), "check", "metrics")
	t.Logf("promtool check metrics of %s: %q", s.supervised[0], out)
	for line := range strings.Lines(out) {
		m := damonComplaint.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || !strings.Contains(string(page), "| `"+m[1]+"` | "+m[2]+" |") {
			t.Errorf("docs/metrics.md does not have the complaint %q", line)
		}
	}
}

func memoryValue(t *testing.T, s *scraped) {
	var pid int
	var reported float64
	until(t, "the program has its memory", func() bool {
		text, err := os.ReadFile(s.task.Name())
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Sscan(string(text), &pid, &reported)
		return err == nil
	})
	got := s.until(t, `silo_container_memory_usage_commit_bytes{nomad_task_name="scraped0"}`, func(v float64) bool { return v >= 0.9*reported })
	within(t, "silo_container_memory_usage_commit_bytes", got, reported, 0.05)
	limit := s.until(t, `silo_container_memory_limit_bytes{nomad_task_name="scraped0"}`, func(float64) bool { return true })
	within(t, "silo_container_memory_limit_bytes", limit, 1<<30, 0)
}

func containersOnce(t *testing.T, s *scraped) {
	series := "silo_container_processes"
	until(t, "every exporter has been scraped", func() bool { return len(s.query(t, "count by (container_id) ("+series+")")) == 3 })
	for _, p := range s.query(t, "count by (container_id) ("+series+")") {
		t.Logf("exporters of %s: %v", p.Labels["container_id"], p.Value)
		if p.Value != 1 {
			t.Errorf("%s is in %v exporters, want 1", p.Labels["container_id"], p.Value)
		}
	}
	within(t, "sum(silo_containers)", s.until(t, "sum(silo_containers)", func(v float64) bool { return v >= 3 }), 3, 0)
	within(t, "sum(silo_containers_elsewhere)", s.until(t, "sum(silo_containers_elsewhere)", func(float64) bool { return true }), 2, 0)
	if out := s.run(t, "metrics", "--once", "--all"); strings.Count(out, "\n"+series+"{") != 3 {
		t.Errorf("silo metrics --all does not have three containers:\n%s", out)
	}
}

func restartsCounted(t *testing.T, s *scraped) {
	until(t, "the container has ended", func() bool {
		c, ok := s.inspect(t, s.crashed)
		return ok && c.Record.Exit != nil
	})
	c, _ := s.inspect(t, s.crashed)
	got := s.until(t, fmt.Sprintf("silo_container_restarts_total{container_id=%q}", s.crashed), func(v float64) bool { return v >= 3 })
	within(t, "silo_container_restarts_total", got, float64(c.Record.Restarts), 0)
	code := s.until(t, fmt.Sprintf("silo_container_last_exit_code{container_id=%q}", s.crashed), func(float64) bool { return true })
	within(t, "silo_container_last_exit_code", code, 3, 0)
}

// processorTime: the increase is what the program has used since the first scrape; after the container was started anew it is
// the sum of both runs.
func processorTime(t *testing.T, s *scraped) {
	series := fmt.Sprintf("silo_container_cpu_usage_seconds_total{container_id=%q}", s.plain)
	value := func(expr string) float64 { return s.until(t, expr, func(float64) bool { return true }) }
	// Prometheus extrapolates by half an interval at each end, which is then little of the range.
	idle := func() {
		t.Helper()
		since := value("count_over_time(" + series + "[10m])")
		s.until(t, "count_over_time("+series+"[10m])", func(v float64) bool { return v >= since+5 })
	}
	idle()
	t.Logf("longest scrape of silo metrics: %v s", value(`max_over_time(scrape_duration_seconds{job="silo"}[10m])`))
	before := value("min_over_time(" + series + "[10m])")
	reported := s.spent(t, "first")
	idle()
	within(t, "processor time", s.until(t, series, func(v float64) bool { return v >= 0.9*reported }), reported, 0.1)
	within(t, "increase of the processor time", value("increase("+series+"[10m])"), reported-before, 0.15)
	s.run(t, "kill", s.plain)
	s.run(t, "wait", s.plain)
	s.spend(t, "second")
	s.until(t, "resets("+series+"[10m])", func(v float64) bool { return v == 1 })
	reported += s.spent(t, "second")
	idle()
	within(t, "increase over a reset", value("increase("+series+"[10m])"), reported-before, 0.15)
}

func rulesRecord(t *testing.T, s *scraped) {
	text, err := os.ReadFile(filepath.Join(s.wine.Root(), "deploy", "prometheus", "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`record: (\S+)`).FindAllStringSubmatch(string(text), -1)
	if len(names) < 5 {
		t.Fatalf("%d recording rules, want at least 5", len(names))
	}
	for _, name := range names {
		until(t, name[1]+" has data", func() bool { return len(s.query(t, name[1])) > 0 })
	}
	until(t, "the alert of the exporter that is missing is pending", func() bool {
		return len(s.query(t, `ALERTS{alertname="SiloExporterDown", job="silo-absent", alertstate="pending"}`)) == 1
	})
}

// emptyOnWine are metrics without data on Wine; docs/metrics.md names them.
var emptyOnWine = regexp.MustCompile(`silo_container_storage_`)

// grafanaQueries evaluates each query of the dashboard, with its variables at "All".
func grafanaQueries(t *testing.T, s *scraped) {
	text, err := os.ReadFile(filepath.Join(s.wine.Root(), "deploy", "grafana", "containers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$instance", ".*", "$namespace", ".*", "$pod", ".*", "$__rate_interval", "1m")
	var empty []string
	n := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			n++
			var list []testenv.Point
			tries := 0 // a scrape that failed just now hides its series until the next
			until(t, panel.Title+" has data", func() bool {
				tries++
				list = s.query(t, variables.Replace(target.Expr))
				return len(list) > 0 || emptyOnWine.MatchString(target.Expr) || tries == 100
			})
			if emptyOnWine.MatchString(target.Expr) {
				empty = append(empty, panel.Title)
				if len(list) > 0 {
					t.Errorf("panel %q has data on Wine, and docs/metrics.md says that it has none: %s", panel.Title, target.Expr)
				}
				continue
			}
			if len(list) == 0 {
				t.Errorf("panel %q has no data: %s", panel.Title, target.Expr)
			}
		}
	}
	t.Logf("%d queries of the dashboard; without data on Wine: %q", n, slices.Compact(empty))
}

func TestPrometheus_Promtool_RulesPass(t *testing.T) {
	prometheusDir(t)
	deploy := filepath.Join("..", "..", "deploy", "prometheus")
	for _, args := range [][]string{
		{"check", "config", filepath.Join(deploy, "prometheus.yaml")},
		{"check", "rules", filepath.Join(deploy, "rules.yaml")},
		{"test", "rules", filepath.Join(deploy, "rules_test.yaml")},
	} {
		if out, ok := promtool(t, "", args...); !ok || !strings.Contains(out, "SUCCESS") {
			t.Errorf("promtool %s: %s", strings.Join(args, " "), out)
		}
	}
}
