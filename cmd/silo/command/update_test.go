package command_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// One name that is wrong does not keep the others from being changed.
func TestUpdate_ManyNames_OthersAreDone(t *testing.T) {
	w := newWorld(t)
	w.container(t, "default/web")
	w.container(t, "default/db")
	code := w.silo(t, "update", "-m", "64m", "web", "missing", "db")
	if code != 1 || !strings.Contains(w.Stderr.String(), "find container missing: no such container") {
		t.Errorf("exit %d: %s, want 1 and the one that failed", code, &w.Stderr)
	}
	for _, id := range []string{"default/web", "default/db"} {
		if l, _ := w.Limits(`Global\silo/` + id); l.JobMemory != 64<<20 {
			t.Errorf("%s has %+v, want 64 MiB", id, l)
		}
		if !strings.Contains(w.Stdout.String(), id) {
			t.Errorf("%s is not in\n%s", id, &w.Stdout)
		}
	}
	if code := w.silo(t, "update", "--cpus", "none", "-m", "none", "web", "db", "-o", "json"); code != 0 {
		t.Fatalf("exit %d: %s", code, &w.Stderr)
	}
	var rows []struct{ Container, Limit string }
	if err := json.Unmarshal(w.Stdout.Bytes(), &rows); err != nil || len(rows) != 2 || rows[1].Container != "default/db" || rows[1].Limit != "kill-on-close" {
		t.Errorf("%+v %v, want only the kill on close of both", rows, err)
	}
	if code := w.silo(t, "update", "--memory", "0", "web", "db"); code != 1 || strings.Count(w.Stderr.String(), "\n") != 1 {
		t.Errorf("exit %d: %s, want one line", code, &w.Stderr)
	}
}
