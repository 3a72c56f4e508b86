package e2e

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/workload"
)

var (
	exported  = flag.Int("containers", 3, "containers of TestExporter_ManyContainers_HasEach; 30 in `make bench-exporter`")
	processes = flag.Int("processes", 3, "processes of each of them; 10 there")
)

// `silo metrics` has every container of a node and all of its processes. The test logs what a scrape costs, beside a query of
// each container by ctr.
func TestExporter_ManyContainers_HasEach(t *testing.T) {
	needOpenFiles(t, *exported*(*processes+2)) // each container has a shim and a console host
	d := newDaemon(t)
	var ids []string
	for range *exported {
		ids = append(ids, d.detach(t, workload.Spec("tree", fmt.Sprint(*processes-1), "86400")))
	}
	address, pid := d.exporter(t)
	complete := func(page string) bool {
		for _, id := range ids {
			if processesOf(page, id) < *processes {
				return false
			}
		}
		return true
	}
	until(t, "the exporter has all processes", func() bool { return complete(get(address)) })
	var scrapes []time.Duration
	var used, queries time.Duration
	for range 10 {
		before, began := processorTime(t, pid), time.Now()
		if page := get(address); !complete(page) {
			t.Errorf("a process is missing in\n%s", page)
		}
		scrapes = append(scrapes, time.Since(began))
		used += processorTime(t, pid) - before
	}
	for _, id := range ids {
		began := time.Now()
		d.ctr(t, "task", "metrics", id)
		queries += time.Since(began)
	}
	resident, private := residentOf(t, pid)
	t.Logf("%d containers of %d processes: a scrape takes %v (median of 10), %v of the exporter's processor time in the mean; "+
		"ctr task metrics of each takes %v in sum, %.0f times as long. The exporter has %.1f MB, %.1f MB private",
		len(ids), *processes, median(scrapes).Round(time.Millisecond), (used / 10).Round(time.Millisecond),
		queries.Round(time.Millisecond), float64(queries)/float64(median(scrapes)), float64(resident)/1e6, float64(private)/1e6)
	for _, id := range ids {
		d.remove(t, id)
	}
	d.nothingLeft(t)
}

// needOpenFiles fails the test if the hard limit of open files is too small for so many processes of Wine: its server opens some 17
// for each. Beyond the limit a process hangs while it is started.
func needOpenFiles(t *testing.T, processes int) {
	t.Helper()
	for line := range strings.Lines(text(t, "/proc/self/limits")) {
		var soft, hard int
		if n, _ := fmt.Sscanf(line, "Max open files %d %d", &soft, &hard); n == 2 && hard < 18*processes {
			t.Fatalf("%d processes of Wine need %d open files, and the hard limit is %d: raise it with ulimit -Hn, or start fewer",
				processes, 18*processes, hard)
		}
	}
}

// exporter starts silo metrics, which ends with the test.
func (d *daemon) exporter(t *testing.T) (address string, pid int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := d.wine.Command(t.Context(), buildSilo(t), "metrics", "--listen", address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	return address, cmd.Process.Pid
}

// get returns a scrape, or "".
func get(address string) string {
	answer, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// processesOf is the number of processes that a scrape has for a container.
func processesOf(page, id string) (n int) {
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "silo_container_processes{") && strings.Contains(line, `"`+id+`"`) {
			_, _ = fmt.Sscan(line[strings.LastIndexByte(line, ' '):], &n) // 0 if it is no number
		}
	}
	return n
}
