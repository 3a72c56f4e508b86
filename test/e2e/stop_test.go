package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// The container chooses which event ctr's plain kill, a SIGTERM, becomes.
func TestStop_ChosenSignal_IsSent(t *testing.T) {
	d := newDaemon(t)
	s := workload.Spec("sleep", "600")
	s.Annotations["io.siloshim.stop-signal"] = "KILL"
	s.Annotations["io.siloshim.stop-grace"] = "1h"
	id := d.detach(t, s)
	d.ctr(t, "task", "kill", id)
	d.awaitStopped(t, id)
	if r := d.try(t, "task", "kill", id); !strings.Contains(r.stderr, "not found") && !strings.Contains(r.stderr, "already") {
		t.Errorf("kill of a stopped task: exit %d, %q; want not found", r.code, r.stderr)
	}
	if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, "137") {
		t.Errorf("task delete printed %q, want exit code 137", r.stderr)
	}
	d.ctr(t, "container", "delete", id)
	d.nothingLeft(t)
}

// A stop reaches the child that init leaves when it exits, and the child has time to exit in order.
func TestStop_InitHasAChild_ChildEndsInOrder(t *testing.T) {
	d := newDaemon(t)
	file := filepath.Join(t.TempDir(), "state")
	state := func() string {
		text, _ := os.ReadFile(file) // it may not exist yet
		return string(text)
	}
	id := d.detach(t, workload.Spec("parting", d.wine.WindowsPath(file)))
	until(t, "the child is ready", func() bool { return state() == "ready" })
	d.ctr(t, "task", "kill", id)
	d.awaitStopped(t, id)
	if got := state(); got != "done" {
		t.Errorf("the child was %q when the task stopped, want done", got)
	}
	_ = d.try(t, "task", "delete", id) // it fails with init's exit code
	d.ctr(t, "container", "delete", id)
	d.nothingLeft(t)
}

func TestStop_UnknownSignal_ErrorNamesAnnotation(t *testing.T) {
	d := newDaemon(t)
	s := workload.Spec("sleep", "600")
	s.Annotations["io.siloshim.stop-grace"] = "soon"
	if r := d.try(t, d.runArgs(t, s, newID(), "-d", "--null-io")...); r.code == 0 || !strings.Contains(r.stderr, "io.siloshim.stop-grace") {
		t.Errorf("exit %d, error %q, want one that names the annotation", r.code, r.stderr)
	}
	d.nothingLeft(t)
}

func TestKill_ProcessTree_AllExit(t *testing.T) {
	d := newDaemon(t)
	seen := d.events(t)
	id := d.detach(t, workload.Spec("tree", "2", "600"))
	until(t, "the tree has three levels", func() bool {
		return strings.Count(strings.TrimSpace(d.ctr(t, "task", "ps", id)), "\n") >= 3
	})
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	d.awaitStopped(t, id)
	if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, "137") {
		t.Errorf("task delete printed %q, want exit code 137", r.stderr)
	}
	topics := strings.Join(seen(id), " ")
	if want := "/tasks/create /tasks/start /tasks/exit /tasks/delete"; topics != want {
		t.Errorf("events %s, want %s", topics, want)
	}
	d.nothingLeft(t)
}
