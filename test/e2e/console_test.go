package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

var rows = regexp.MustCompile(`(?m)^(\d+)\s`)

// An exec is on the console of init, so the container has one console host. A signal to an exec reaches no other program
// on the console.
func TestExec_ThreePrograms_ShareTheConsoleOfInit(t *testing.T) {
	d := newDaemon(t)
	id := newID()
	want := []string{fmt.Sprint(d.runReport(t, d.runArgs(t, workload.Spec("alloc", "8", "600"), id)...).pid)}
	for _, exec := range []string{"e1", "e2", "e3"} {
		want = append(want, fmt.Sprint(d.runReport(t, "task", "exec", "--exec-id", exec, id, workload.Payload, "alloc", "8", "600").pid))
	}
	members := func() (pids []string, hosts int, ps string) {
		ps = d.ctr(t, "task", "ps", id)
		for _, row := range rows.FindAllStringSubmatch(ps, -1) {
			pids = append(pids, row[1])
		}
		return pids, strings.Count(ps, "conhost.exe"), ps
	}
	pids, hosts, ps := members()
	if hosts > 1 || len(pids) != len(want)+hosts || missing(pids, want) {
		t.Errorf("%d console hosts, want at most one, and the programs %v:\n%s", hosts, want, ps)
	}

	d.ctr(t, "task", "kill", "-s", "SIGINT", "--exec-id", "e1", id)
	until(t, "the exec has ended", func() bool {
		pids, _, ps = members()
		return !slices.Contains(pids, want[1])
	})
	if missing(pids, append(want[:1:1], want[2:]...)) {
		t.Errorf("the programs %v are not all left:\n%s", want, ps)
	}
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	until(t, "ctr run has deleted its task", func() bool { return d.row(t, id) == nil })
	d.nothingLeft(t)
}

// missing reports whether pids does not have all of want.
func missing(pids, want []string) bool {
	return slices.ContainsFunc(want, func(pid string) bool { return !slices.Contains(pids, pid) })
}
