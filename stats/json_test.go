package stats_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/stats"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)

// complete has every metric.
func complete() stats.Sample {
	s := stats.Sample{
		Timestamp: epoch, Owner: "Kubelet", Started: epoch.Add(-time.Minute), Uptime: time.Minute,
		Processor:  stats.Processor{User: 3 * time.Second, Kernel: 2 * time.Second},
		Memory:     stats.Memory{Commit: 11, PeakCommit: 12, PrivateWorkingSet: 13, WorkingSet: 14, PageFaults: 15},
		Storage:    stats.Storage{Reads: 1, ReadBytes: 2, Writes: 3, WriteBytes: 4},
		Processes:  stats.ProcessCounts{Active: 5, Total: 6, Terminated: 7, Unreadable: 8},
		Limits:     stats.Limits{CommitBytes: 1 << 30, ProcessorRate: 5000},
		Violations: stats.Violations{Memory: 1}, Fallbacks: 2,
	}
	for f := range s.Metrics {
		s.Metrics[f] = stats.Provenance{Source: stats.SourceJob, Quality: stats.Exact}
	}
	return s
}

// process has everything.
var process = stats.Process{
	Pid: 12, Parent: 4, Image: "w.exe", Created: epoch, User: 3 * time.Second, Kernel: 2 * time.Second,
	Commit: 21, WorkingSet: 23, PrivateWorkingSet: 22, SharedWorkingSet: 1, PageFaults: 24, Threads: 2, Handles: 40,
	Known: stats.KnownImage | stats.KnownParent | stats.KnownTimes | stats.KnownMemory | stats.KnownPrivate |
		stats.KnownThreads | stats.KnownHandles,
}

// The JSON forms do not change: others read them.
func TestJSON_Forms_AreAsTheGolden(t *testing.T) {
	lacking := stats.Sample{Timestamp: epoch}
	lacking.Metrics[stats.MetricStorage].Err = errors.New("refused")
	got, err := json.MarshalIndent(map[string]any{
		"complete": complete(), "lacking": lacking, "process": process, "bare process": stats.Process{Pid: 12},
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "testdata/forms.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}
