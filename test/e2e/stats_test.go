package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// report is what a program prints about itself: its pid and its private memory.
type report struct{ pid, bytes uint64 }

// runReport runs a ctr command in the background and reads the program's report.
func (d *daemon) runReport(t *testing.T, args ...string) (s report) {
	t.Helper()
	cmd := d.Ctr(t.Context(), args...)
	firstLine(t, cmd, &s.pid, &s.bytes)
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return s
}

// memory is the memory part of `ctr task metrics`.
type memory struct {
	Commit  uint64 `json:"memory_usage_commit_bytes"`
	Private uint64 `json:"memory_usage_private_working_set_bytes"`
}

func (d *daemon) memory(t *testing.T, id string) memory {
	t.Helper()
	var m struct {
		Container struct{ Windows struct{ Memory memory } }
	}
	text := d.ctr(t, "task", "metrics", "--format", "json", id)
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return m.Container.Windows.Memory
}

// near fails the test if a metric differs from the expected value by more than 5 %.
func near(t *testing.T, what string, got, want uint64) {
	t.Helper()
	if math.Abs(float64(got)-float64(want)) > 0.05*float64(want) {
		t.Errorf("%s is %d, want %d within 5 %%", what, got, want)
	}
}

// commits finds the commit of each process in `ctr task ps`.
var commits = regexp.MustCompile(`(?mi)^(\d+)\s.*?memory_?commit_?bytes:(\d+)`)

// The metrics of a container match the reports of its programs.
func TestMetrics_Container_MatchItsPrograms(t *testing.T) {
	d := newDaemon(t)
	id := newID()
	programs := []report{d.runReport(t, d.runArgs(t, workload.Spec("alloc", "512", "600"), id)...)}
	for _, mb := range []string{"256", "128"} {
		programs = append(programs, d.runReport(t, "task", "exec", "--exec-id", "e"+mb, id, workload.Payload, "alloc", mb, "600"))
	}
	var sum uint64
	for _, p := range programs {
		sum += p.bytes
	}
	m := d.memory(t, id)
	near(t, "commit", m.Commit, sum)
	near(t, "private working set", m.Private, sum)

	listed := map[string]string{}
	ps := d.ctr(t, "task", "ps", id)
	for _, line := range commits.FindAllStringSubmatch(ps, -1) {
		listed[line[1]] = line[2]
	}
	for _, p := range programs {
		var commit uint64
		if _, err := fmt.Sscan(listed[fmt.Sprint(p.pid)], &commit); err != nil {
			t.Errorf("process %d is not in\n%s", p.pid, ps)
			continue
		}
		near(t, fmt.Sprintf("commit of process %d", p.pid), commit, p.bytes)
	}
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	until(t, "ctr run has deleted its task", func() bool { return d.row(t, id) == nil })
}
