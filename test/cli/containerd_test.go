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

// crowd is how many containers TestSilo_ManyContainersOfContainerd_MatchesCtr runs; 30 is what the project promises.
var crowd = flag.Int("crowd", 8, "containers of the shim under one containerd")

// ctr runs ctr against a containerd and wants it to succeed. Output goes to files, as with silo.
func ctr(t *testing.T, c *testenv.Containerd, args ...string) string {
	t.Helper()
	for {
		cmd := c.Ctr(t.Context(), args...)
		stdout, stderr := scratch(t), scratch(t)
		cmd.Stdout, cmd.Stderr = stdout, stderr
		err := cmd.Run()
		out, said := content(t, stdout), content(t, stderr)
		switch {
		case err == nil:
			return out
		case strings.Contains(said, "Pipe busy."): // Wine has few instances of a pipe; the call has not been made
		default:
			t.Fatalf("ctr %s: %v\n%s%s", strings.Join(args, " "), err, out, said)
		}
	}
}

// TestSilo_ManyContainersOfContainerd_MatchesCtr: silo finds every container of the shim by the kernel alone, and its figures are those that
// containerd gets from the shim.
func TestSilo_ManyContainersOfContainerd_MatchesCtr(t *testing.T) {
	s := newSilo(t)
	c, err := s.wine.Containerd(t.Context(), fmt.Sprintf("cli-crowd-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if !t.Failed() {
			_ = c.Remove() // in the test environment, which is thrown away
		}
	})
	config := filepath.Join(t.TempDir(), "config.json")
	if err := workload.Write(config, workload.Spec("alloc", "16", "600")); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range *crowd {
		id := fmt.Sprintf("crowd-%d-%d", os.Getpid(), i)
		ctr(t, c, "run", "--runtime", "io.containerd.silo.v1", "--config", s.wine.WindowsPath(config), "-d", "--null-io", id)
		ids = append(ids, id)
	}
	lists(t, s, ids)
	agrees(t, s, c, ids)
	for _, id := range ids {
		ctr(t, c, "task", "delete", "--force", id)
		ctr(t, c, "container", "delete", id)
	}
	if out := s.run(t, "ps"); strings.Contains(out, ids[0]) {
		t.Errorf("ps lists it after its end:\n%s", out)
	}
}

// lists wants every container in silo ps, and its program in silo top, live and once.
func lists(t *testing.T, s *silo, ids []string) {
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

// agrees compares a scrape of silo metrics with ctr task metrics.
func agrees(t *testing.T, s *silo, c *testenv.Containerd, ids []string) {
	t.Helper()
	address := s.exporter(t)
	wellFormed(t, scrape(t, address, ids[0]))
	for _, id := range ids {
		var told struct {
			Container struct {
				Windows struct {
					Memory map[string]uint64
				}
			}
		}
		text := ctr(t, c, "task", "metrics", "--format", "json", id)
		for text == "" { // on a busy machine Wine's server ends a program that takes long to leave, and what it said is lost
			t.Logf("ctr task metrics of %s said nothing; asking again", id)
			text = ctr(t, c, "task", "metrics", "--format", "json", id)
		}
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		metrics := scrape(t, address, id)
		for name, key := range map[string]string{
			"commit_bytes":              "memory_usage_commit_bytes",
			"private_working_set_bytes": "memory_usage_private_working_set_bytes",
		} {
			got, want := sample(t, metrics, "silo_container_memory_usage_"+name, id), float64(told.Container.Windows.Memory[key])
			if want == 0 || math.Abs(got-want) > 0.05*want {
				t.Errorf("%s of %s is %.0f, and ctr says %.0f", name, id, got, want)
			}
		}
	}
}

// sample finds the value of a series of one container.
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
