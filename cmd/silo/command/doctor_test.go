package command_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
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

// A call that the kernel refuses is a failed check of doctor, and no kept promise of selftest.
func TestDoctor_CallRefused_SelftestAgrees(t *testing.T) {
	for call, names := range map[string]struct{ check, trial string }{
		"CreateSilo":    {"silos", "a job becomes a silo"},
		"Freeze":        {"pause and resume", "a job can be paused and resumed"},
		"MemoryUsage":   {"committed memory of a job", "committed memory of a job is that of its program, and the peak stays"},
		"IOAttribution": {"storage traffic of a job", "storage traffic is counted"},
		"QueryLimits":   {"memory limit", "limits read back are those that were set"},
		"CreateJob":     {"job objects", "a job name can be used once"},
	} {
		t.Run(call, func(t *testing.T) {
			w := newWorld(t)
			w.Fail(call, -1, jobobject.ErrNotSupported)
			w.silo(t, "doctor", "-o", "json")
			var checks []struct {
				Check string
				OK    bool
			}
			if err := json.Unmarshal(w.Stdout.Bytes(), &checks); err != nil {
				t.Fatalf("%v in %s", err, &w.Stdout)
			}
			failed := false
			for _, c := range checks {
				failed = failed || c.Check == names.check && !c.OK
			}
			w.Stdout.Reset()
			w.silo(t, "selftest", "-o", "json")
			var evidence struct {
				Trials []struct{ Trial, Result string }
			}
			if err := json.Unmarshal(w.Stdout.Bytes(), &evidence); err != nil {
				t.Fatalf("%v in %s", err, &w.Stdout)
			}
			result := ""
			for _, trial := range evidence.Trials {
				if trial.Trial == names.trial {
					result = trial.Result
				}
			}
			if !failed || result == "" || result == "kept" {
				t.Errorf("doctor: failed %v; selftest: %q, want a failed check and a promise that is not kept", failed, result)
			}
		})
	}
}
