package command_test

import (
	"encoding/json"
	"errors"
	"testing"
)

// What a host has differs, so the test reads it from the report itself.
func TestDoctor_CheckFails_ExitCodeIs1(t *testing.T) {
	w := newWorld(t)
	w.Fail("CreateSilo", 1, errors.New("broken on purpose"))
	code := w.silo(t, "doctor", "-o", "json")
	var checks []struct {
		Check string
		OK    bool
	}
	if err := json.Unmarshal(w.Stdout.Bytes(), &checks); err != nil {
		t.Fatalf("%v in %s", err, &w.Stdout)
	}
	failed := map[string]bool{}
	for _, c := range checks {
		failed[c.Check] = !c.OK
	}
	if !failed["silos"] || failed["memory limit"] {
		t.Errorf("checks %s", &w.Stdout)
	}
	if code != 1 || w.Stderr.Len() > 0 {
		t.Errorf("exit %d, want 1, and no error beside the report: %s", code, &w.Stderr)
	}
}
