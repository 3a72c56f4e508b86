package e2e

import (
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

func TestKillEndsTheWholeTree(t *testing.T) {
	d := newDaemon(t)
	seen := d.events(t)
	id := d.detach(t, workload.Spec("tree", "2", "600"))
	until(t, "the tree has three levels", func() bool {
		return strings.Count(strings.TrimSpace(d.ctr(t, "task", "ps", id)), "\n") >= 3
	})
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	until(t, "the task has stopped", func() bool { row := d.row(t, id); return len(row) > 2 && row[2] == "STOPPED" })
	if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, "137") {
		t.Errorf("task delete says %q, want exit code 137", r.stderr)
	}
	topics := strings.Join(seen(id), " ")
	if want := "/tasks/create /tasks/start /tasks/exit /tasks/delete"; topics != want {
		t.Errorf("events %s, want %s", topics, want)
	}
	d.nothingLeft(t)
}
