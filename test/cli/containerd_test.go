package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// containers is how many containers TestSilo_ManyContainersOfContainerd_MatchesCtr runs; 30 is what the project promises.
var containers = flag.Int("containers", 8, "containers of the shim under one containerd")

// ctr runs ctr against a containerd and fails the test unless it succeeds. Output goes to files, as with silo.
func ctr(t *testing.T, c *testenv.Containerd, args ...string) string {
	t.Helper()
	for {
		cmd := c.Ctr(t.Context(), args...)
		stdout, stderr := scratch(t), scratch(t)
		cmd.Stdout, cmd.Stderr = stdout, stderr
		err := cmd.Run()
		out, messages := content(t, stdout), content(t, stderr)
		switch {
		case err == nil:
			return out
		case strings.Contains(messages, "Pipe busy."): // no instance of the pipe was free; the daemon got no request
		default:
			t.Fatalf("ctr %s: %v\n%s%s", strings.Join(args, " "), err, out, messages)
		}
	}
}

// silo finds every container of the shim through the kernel, and reports the metrics that containerd gets from the shim.
func TestSilo_ManyContainersOfContainerd_MatchesCtr(t *testing.T) {
	s := newSilo(t)
	c, err := s.wine.Containerd(t.Context(), fmt.Sprintf("cli-many-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if !t.Failed() {
			_ = c.Remove() // in the test environment, which is disposable
		}
	})
	config := filepath.Join(t.TempDir(), "config.json")
	if err := workload.Write(config, workload.Spec("alloc", "16", "600")); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range *containers {
		id := fmt.Sprintf("many-%d-%d", os.Getpid(), i)
		ctr(t, c, "run", "--runtime", "io.containerd.silo.v1", "--config", s.wine.WindowsPath(config), "-d", "--null-io", id)
		ids = append(ids, id)
	}
	checkLists(t, s, ids)
	checkMetrics(t, s, c, ids)
	for _, id := range ids {
		ctr(t, c, "task", "delete", "--force", id)
		ctr(t, c, "container", "delete", id)
	}
	if out := s.run(t, "ps"); strings.Contains(out, ids[0]) {
		t.Errorf("ps lists a container after its exit:\n%s", out)
	}
}

// checkLists fails the test unless silo ps and silo top list every container once, as running.
func checkLists(t *testing.T, s *silo, ids []string) {
	t.Helper()
	ps, top := s.run(t, "ps"), s.run(t, "top")
	live := s.run(t, "top", "--live", "--count", "2", "--interval", "200ms", "--sort", "cpu")
	for _, id := range ids {
		program := regexp.MustCompile(`(?m)^default/` + id + `\s+payload\.exe\s`)
		if !strings.Contains(ps, "default/"+id+" ") || !program.MatchString(top) || len(program.FindAllString(live, -1)) != 2 {
			t.Errorf("%s is missing:\n%s%s%s", id, ps, top, live)
			return
		}
	}
}

// checkMetrics compares a scrape of silo metrics with ctr task metrics.
func checkMetrics(t *testing.T, s *silo, c *testenv.Containerd, ids []string) {
	t.Helper()
	address := s.exporter(t)
	wellFormed(t, scrape(t, address, ids[0]))
	for _, id := range ids {
		var answer struct {
			Container struct {
				Windows struct {
					Memory map[string]uint64
				}
			}
		}
		text := ctr(t, c, "task", "metrics", "--format", "json", id)
		for text == "" { // Wine's server kills a program whose exit takes long, and its output is lost
			t.Logf("ctr task metrics of %s printed nothing; repeating the query", id)
			text = ctr(t, c, "task", "metrics", "--format", "json", id)
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		metrics := scrape(t, address, id)
		for name, key := range map[string]string{
			"commit_bytes":              "memory_usage_commit_bytes",
			"private_working_set_bytes": "memory_usage_private_working_set_bytes",
		} {
			got, want := sample(t, metrics, "silo_container_memory_usage_"+name, id), float64(answer.Container.Windows.Memory[key])
			if want == 0 || math.Abs(got-want) > 0.05*want {
				t.Errorf("%s of %s is %.0f, but ctr has %.0f", name, id, got, want)
			}
		}
	}
}

// sample finds the value of a container's series.
func sample(t *testing.T, metrics, name, id string) float64 {
	t.Helper()
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, name+"{") && strings.Contains(line, strconv.Quote(id)) {
			fields := strings.Fields(line)
			value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Errorf("no %s of %s in\n%s", name, id, metrics)
	return math.NaN()
}
