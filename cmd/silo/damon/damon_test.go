package damon_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/siloshim/siloshim/cmd/silo/damon"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// read gives the configuration of an environment written as NAME=VALUE, separated by commas.
func read(env string) (*damon.Config, error) {
	get := func(name string) string {
		for entry := range strings.SplitSeq(env, ",") {
			if n, value, _ := strings.Cut(entry, "="); n == name {
				return value
			}
		}
		return ""
	}
	return damon.FromEnvironment(get, "/alloc")
}

// defaults are the settings of an empty environment.
func defaults() damon.Config {
	return damon.Config{
		LogFile: "/alloc/damon.log", LogMaxSize: 10, LogMaxFiles: 5, EnforceCPU: true, EnforceMem: true,
		StopSignals: []supervisor.Signal{supervisor.CtrlBreak}, Endpoint: "/metrics", Compat: true, Labels: prometheus.Labels{},
	}
}

func TestFromEnvironment_Variables_Read(t *testing.T) {
	for _, c := range []struct {
		env  string
		want func(*damon.Config)
	}{
		{"", func(*damon.Config) {}},
		{"DAMON_LOG_MAX_SIZE=3,DAMON_LOG_MAX_FILES=0", func(c *damon.Config) { c.LogMaxSize, c.LogMaxFiles = 3, 0 }},
		{"DAMON_LOG_DIR=/logs,NOMAD_ALLOC_DIR=/alloc", func(c *damon.Config) { c.LogFile = "/logs/damon.log" }},
		{"NOMAD_ALLOC_DIR=/alloc,DAMON_NOMAD_LOG_SUFFIX=.x", func(c *damon.Config) { c.LogFile = "/alloc/logs/damon.log" }},
		{"DAMON_LOG_NAME=a.txt", func(c *damon.Config) { c.LogFile = "/alloc/a.txt" }},
		{"NOMAD_CPU_LIMIT=500,NOMAD_MEMORY_LIMIT=256", func(c *damon.Config) { c.CPUMHz, c.MemoryMB, c.HardMemoryMB = 500, 256, 256 }},
		{"DAMON_CPU_LIMIT=0,NOMAD_CPU_LIMIT=500", func(*damon.Config) {}},
		{"DAMON_MEMORY_LIMIT=64,NOMAD_MEMORY_LIMIT=256,NOMAD_MEMORY_MAX_LIMIT=512", func(c *damon.Config) { c.MemoryMB, c.HardMemoryMB = 64, 64 }},
		{"NOMAD_MEMORY_LIMIT=256,NOMAD_MEMORY_MAX_LIMIT=512", func(c *damon.Config) { c.MemoryMB, c.HardMemoryMB = 256, 512 }},
		{"NOMAD_MEMORY_LIMIT=256,NOMAD_MEMORY_MAX_LIMIT=-1", func(c *damon.Config) { c.MemoryMB, c.HardMemoryMB = 256, 0 }},
		{"DAMON_MEMORY_LIMIT=64,NOMAD_MEMORY_LIMIT=256,NOMAD_MEMORY_MAX_LIMIT=-1", func(c *damon.Config) { c.MemoryMB, c.HardMemoryMB = 64, 64 }},
		{"DAMON_ENFORCE_CPU_LIMIT=n,DAMON_CPU_LIMIT=50", func(c *damon.Config) { c.EnforceCPU, c.CPUMHz = false, 50 }},
		{"DAMON_ENFORCE_MEMORY_LIMIT= FALSE ,DAMON_RESTRICTED_TOKEN=1", func(c *damon.Config) { c.EnforceMem, c.Restricted = false, true }},
		{"DAMON_ADDR=127.0.0.1:1,NOMAD_ADDR_damon=:2,DAMON_METRICS_ENDPOINT=/m", func(c *damon.Config) { c.Address, c.Endpoint = "127.0.0.1:1", "/m" }},
		{"DAMON_METRICS_COMPAT=n", func(c *damon.Config) { c.Compat = false }},
		{"DAMON_STOP_SIGNAL=SIGTERM", func(c *damon.Config) { c.StopSignals = []supervisor.Signal{supervisor.CtrlShutdown} }},
		{"NOMAD_ADDR_damon=10.0.0.1:2", func(c *damon.Config) { c.Address = "10.0.0.1:2" }},
		{"NOMAD_TASK_NAME=web,NOMAD_DC=dc1", func(c *damon.Config) {
			c.LogFile, c.Labels = "/alloc/web.damon.log", prometheus.Labels{"nomad_task_name": "web", "nomad_dc": "dc1"}
		}},
	} {
		t.Run(c.env, func(t *testing.T) {
			want := defaults()
			c.want(&want)
			want.LogFile = filepath.FromSlash(want.LogFile)
			got, err := read(c.env)
			if diff := cmp.Diff(&want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestFromEnvironment_BadValues_ErrorNamesEach(t *testing.T) {
	for _, env := range []string{
		"DAMON_LOG_MAX_SIZE=ten", "DAMON_LOG_MAX_SIZE=0", "DAMON_LOG_MAX_FILES=-1", "DAMON_CPU_LIMIT=10x", "DAMON_CPU_LIMIT= 1024", "DAMON_CPU_LIMIT=-1",
		"NOMAD_MEMORY_LIMIT=1.5", "DAMON_MEMORY_LIMIT=0x10", "NOMAD_MEMORY_MAX_LIMIT=lots", "NOMAD_MEMORY_MAX_LIMIT=-2", "NOMAD_MEMORY_LIMIT=-1", "DAMON_ENFORCE_CPU_LIMIT=on", "DAMON_ENFORCE_MEMORY_LIMIT=t",
		"DAMON_RESTRICTED_TOKEN=maybe", "DAMON_METRICS_COMPAT=off", "DAMON_ADDR=localhost", "DAMON_METRICS_ENDPOINT=metrics",
	} {
		name, value, _ := strings.Cut(env, "=")
		_, err := read(env)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names it", env, err)
		} else if len(value) > 3 && strings.Contains(err.Error(), value) && name != "DAMON_METRICS_ENDPOINT" && name != "DAMON_ADDR" {
			t.Errorf("%s: the value is in the error: %v", env, err)
		}
	}
	_, err := read("DAMON_CPU_LIMIT=99,DAMON_MEMORY_LIMIT=7,DAMON_LOG_MAX_FILES=x")
	for _, want := range []string{"99 MHz", "7 MB", "DAMON_LOG_MAX_FILES"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want all three errors; %q is missing", err, want)
		}
	}
}

func TestNewLog_Line_HasDamonsForm(t *testing.T) {
	c := defaults()
	c.LogFile, c.Labels = filepath.Join(t.TempDir(), "new", "a.log"), prometheus.Labels{"nomad_dc": "dev"}
	log, file, err := damon.NewLog(&c, nil)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("damon exiting", "exit_status", 3)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.LogFile)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.RFC3339, got["time"].(string)); err != nil {
		t.Error(err)
	}
	delete(got, "time")
	want := map[string]any{"level": "info", "message": "damon exiting", "nomad_dc": "dev", "exit_status": 3.0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	c.LogFile = filepath.Join(c.LogFile, "under-a-file", "x.log")
	if _, _, err := damon.NewLog(&c, nil); err == nil || !strings.Contains(err.Error(), c.LogFile) || !strings.Contains(err.Error(), "DAMON_LOG_DIR") {
		t.Errorf("%v, want the path and a variable of a log that cannot be written", err)
	}
}

func TestMetrics_Collect_DamonsValues(t *testing.T) {
	k := jobtest.New()
	k.Processors(8)
	job, err := jobobject.Create(jobobject.Options{Name: "job", Kernel: k, KillOnClose: true, TrackIO: true})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Wait()
	defer job.Close()
	root, err := k.Place("job", "app.exe", 4)
	if err != nil {
		t.Fatal(err)
	}
	config := defaults()
	config.CPUMHz, config.HardMemoryMB, config.Labels = 1024, 256, prometheus.Labels{"nomad_dc": "dev"}
	m := damon.NewMetrics(job, &config, 8, 2400, k.Now)
	m.SetRoot(root.Pid())
	root.Busy(1, 0)
	root.Transfer(jobobject.IOAttribution{ReadCount: 3, ReadBytes: 100})
	root.Control(4, 20)
	k.Advance(10 * time.Second)
	m.Observe(jobobject.Message{Kind: jobobject.JobMemoryLimit})
	m.Observe(jobobject.Message{Kind: jobobject.NewProcess})
	// One of eight processors is 0.125 of the machine; Damon said an eighth of that, and 300 MHz.
	want := `
# HELP damon_cpu_limit_hz Configured limit in cycles a second, enforced or not.
# TYPE damon_cpu_limit_hz gauge
damon_cpu_limit_hz{nomad_dc="dev"} 1.024e+09
# HELP damon_cpu_user_hz Cycles a second in user mode, too few by the number of processors as in Damon.
# TYPE damon_cpu_user_hz gauge
damon_cpu_user_hz{nomad_dc="dev"} 3e+08
# HELP damon_cpu_user_seconds Seconds in user mode, of all processes.
# TYPE damon_cpu_user_seconds gauge
damon_cpu_user_seconds{nomad_dc="dev"} 10
# HELP damon_io_operations_total Operations of all three kinds.
# TYPE damon_io_operations_total gauge
damon_io_operations_total{nomad_dc="dev"} 7
# HELP damon_io_other_bytes Bytes of operations that are neither.
# TYPE damon_io_other_bytes gauge
damon_io_other_bytes{nomad_dc="dev"} 20
# HELP damon_memory_limit_bytes Configured limit on committed memory.
# TYPE damon_memory_limit_bytes gauge
damon_memory_limit_bytes{nomad_dc="dev"} 2.68435456e+08
# HELP damon_memory_notifications_total Allocations that the memory limit refused; Damon never counted any.
# TYPE damon_memory_notifications_total counter
damon_memory_notifications_total{nomad_dc="dev"} 1
`
	if err := testutil.CollectAndCompare(m, strings.NewReader(want), "damon_cpu_limit_hz", "damon_cpu_user_hz", "damon_cpu_user_seconds",
		"damon_io_operations_total", "damon_io_other_bytes", "damon_memory_limit_bytes", "damon_memory_notifications_total"); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(m); n != 23 {
		t.Errorf("%d series, want Damon's 21 and two of its limits", n)
	}
	root.Exit(0)
}

// Damon's names that break a rule of Prometheus are those that docs/metrics.md lists, with the rule.
func TestMetrics_Lint_NamesAreDocumented(t *testing.T) {
	k := jobtest.New()
	job, err := jobobject.Create(jobobject.Options{Name: "job", Kernel: k, KillOnClose: true, TrackIO: true})
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	root, err := k.Place("job", "app.exe", 4)
	if err != nil {
		t.Fatal(err)
	}
	config := defaults()
	m := damon.NewMetrics(job, &config, 8, 2400, k.Now)
	m.SetRoot(root.Pid())
	problems, err := testutil.CollectAndLint(m)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if row := fmt.Sprintf("| `%s` | %s |", p.Metric, p.Text); !strings.Contains(string(page), row) {
			t.Errorf("docs/metrics.md has no row %s", row)
		}
	}
	if rows := strings.Count(string(page), "| `damon_"); rows != len(problems) {
		t.Errorf("docs/metrics.md has %d rows of Damon's names, want %d", rows, len(problems))
	}
}

// FuzzEnvironment: lines of an environment give a configuration that can be used, or an error without a value.
func FuzzEnvironment(f *testing.F) {
	f.Add("DAMON_LOG_MAX_SIZE=1\nDAMON_CPU_LIMIT=500\nDAMON_STOP_SIGNAL=ctrl-c,SIGTERM\nDAMON_ADDR=:8080")
	f.Add("NOMAD_CPU_LIMIT=4\nNOMAD_MEMORY_LIMIT=64\nNOMAD_MEMORY_MAX_LIMIT=128\nNOMAD_TASK_NAME=web\nNOMAD_DC=dc1\nNOMAD_ALLOC_DIR=C:\\alloc")
	f.Add("DAMON_ENFORCE_CPU_LIMIT=maybe\nDAMON_METRICS_ENDPOINT={}\nDAMON_LOG_MAX_FILES=-1\nDAMON_LOG_NAME=..\\x")
	f.Fuzz(func(t *testing.T, text string) {
		const canary = "canary7Gq2"
		for _, suffix := range []string{"", canary} {
			values := map[string]string{}
			for line := range strings.SplitSeq(text, "\n") {
				if name, value, ok := strings.Cut(line, "="); ok {
					values[name] = value + suffix
				}
			}
			c, err := damon.FromEnvironment(func(name string) string { return values[name] }, "/alloc")
			if err != nil {
				if strings.Contains(err.Error(), canary) {
					t.Errorf("the error has a value: %v", err)
				}
				continue
			}
			if c.LogFile == "" || c.LogMaxSize < 1 || c.LogMaxFiles < 0 || len(c.StopSignals) == 0 || c.HardMemoryMB < c.MemoryMB || !strings.HasPrefix(c.Endpoint, "/") {
				t.Errorf("%q gives %+v", text, c)
			}
		}
	})
}
