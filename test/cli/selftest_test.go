package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// Nothing is broken on this host, unsupported features are named, and the first line is the evidence.
func TestSelftest_ThisHost_NothingIsBroken(t *testing.T) {
	s := newSilo(t)
	out := s.run(t, "selftest")
	line, table, _ := strings.Cut(out, "\n")
	var evidence struct {
		Go, OS string
		Trials []struct{ Trial, Result, Why string }
	}
	if err := json.Unmarshal([]byte(line), &evidence); err != nil || evidence.OS != "windows" {
		t.Fatalf("%v in %s", err, line)
	}
	t.Log(table)
	results := map[string]int{}
	for _, trial := range evidence.Trials {
		results[trial.Result]++
		if trial.Result != "kept" && trial.Why == "" {
			t.Errorf("%s: %s, without a reason", trial.Trial, trial.Result)
		}
	}
	if results["kept"] < 12 || results["broken"] != 0 || strings.Count(table, "\n") != len(evidence.Trials)+1 {
		t.Errorf("%v\n%s", results, table)
	}
}
