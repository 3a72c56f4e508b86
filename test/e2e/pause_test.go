package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// lines counts the lines of a file that a container may be writing.
func lines(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

// The container prints a line every millisecond. It prints none while it is paused, and continues afterwards.
func TestPause_RunningContainer_PrintsNothing(t *testing.T) {
	d := newDaemon(t)
	seen := d.events(t)
	id, log := newID(), filepath.Join(d.dir, "paused.log")
	never := d.wine.WindowsPath(filepath.Join(d.dir, "never"))
	d.ctr(t, d.runArgs(t, workload.Spec("count", never), id, "-d", "--log-uri", fileURI(d.wine.WindowsPath(log)))...)
	until(t, "the container prints", func() bool { return lines(t, log) > 0 })

	d.ctr(t, "task", "pause", id)
	if row := d.row(t, id); len(row) < 3 || row[2] != "PAUSED" {
		t.Errorf("task ls shows %v, want PAUSED", row)
	}
	if r := d.try(t, "task", "pause", id); r.code == 0 {
		t.Error("a second pause succeeded")
	}
	if r := d.try(t, "task", "exec", "--exec-id", newID(), id, workload.Payload, "exit", "0"); r.code == 0 {
		t.Error("an exec in a paused container succeeded")
	}
	// Commands of ctr take longer than the content of the pipe needs to be written.
	before := lines(t, log)
	d.ctr(t, "task", "ps", id)
	if now := lines(t, log); now != before {
		t.Errorf("a paused container printed %d lines", now-before)
	}
	d.ctr(t, "task", "resume", id)
	until(t, "the container prints again", func() bool { return lines(t, log) > before })

	d.ctr(t, "task", "pause", id)
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	d.awaitStopped(t, id)
	if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, "137") {
		t.Errorf("task delete printed %q, want exit code 137", r.stderr)
	}
	topics := strings.Join(seen(id), " ")
	want := "/tasks/create /tasks/start /tasks/paused /tasks/resumed /tasks/paused /tasks/exit /tasks/delete"
	if topics != want {
		t.Errorf("events %s, want %s", topics, want)
	}
	d.nothingLeft(t)
}
