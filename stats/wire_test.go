package stats_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/stats"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)

// complete has every figure.
func complete() stats.Sample {
	s := stats.Sample{
		Timestamp: epoch, Owner: "Kubelet", Started: epoch.Add(-time.Minute), Uptime: time.Minute,
		Processor:  stats.Processor{User: 3 * time.Second, Kernel: 2 * time.Second},
		Memory:     stats.Memory{Commit: 11, PeakCommit: 12, PrivateWorkingSet: 13, WorkingSet: 14, PageFaults: 15},
		Storage:    stats.Storage{Reads: 1, ReadBytes: 2, Writes: 3, WriteBytes: 4},
		Processes:  stats.Population{Active: 5, Total: 6, Terminated: 7, Unreadable: 8},
		Limits:     stats.Limits{CommitBytes: 1 << 30, ProcessorRate: 5000},
		Violations: stats.Violations{Memory: 1}, Fallbacks: 2,
	}
	for f := range s.Figures {
		s.Figures[f] = stats.Provenance{Source: stats.SourceJob, Quality: stats.Exact}
	}
	return s
}

// S33: nanoseconds on the wire.
func TestS33Runhcs(t *testing.T) {
	want := &runhcs.Statistics{Container: &runhcs.Statistics_Windows{Windows: &runhcs.WindowsContainerStatistics{
		Timestamp:          timestamppb.New(epoch),
		ContainerStartTime: timestamppb.New(epoch.Add(-time.Minute)),
		UptimeNS:           uint64(time.Minute),
		Processor: &runhcs.WindowsContainerProcessorStatistics{
			TotalRuntimeNS: 5e9, RuntimeUserNS: 3e9, RuntimeKernelNS: 2e9,
		},
		Memory: &runhcs.WindowsContainerMemoryStatistics{
			MemoryUsageCommitBytes: 11, MemoryUsageCommitPeakBytes: 12, MemoryUsagePrivateWorkingSetBytes: 13,
		},
		Storage: &runhcs.WindowsContainerStorageStatistics{
			ReadCountNormalized: 1, ReadSizeBytes: 2, WriteCountNormalized: 3, WriteSizeBytes: 4,
		},
	}}}
	if diff := cmp.Diff(want, complete().Runhcs(), protocmp.Transform()); diff != "" {
		t.Errorf("statistics (-want +got):\n%s", diff)
	}
}

// S33: what is missing stays unset. S34: there is no network anywhere.
func TestS33S34RunhcsOfAnEmptySample(t *testing.T) {
	want := &runhcs.Statistics{Container: &runhcs.Statistics_Windows{Windows: &runhcs.WindowsContainerStatistics{
		Timestamp: timestamppb.New(epoch),
	}}}
	if diff := cmp.Diff(want, stats.Sample{Timestamp: epoch}.Runhcs(), protocmp.Transform()); diff != "" {
		t.Errorf("statistics (-want +got):\n%s", diff)
	}
}

// process has everything.
var process = stats.Process{
	Pid: 12, Parent: 4, Image: "w.exe", Created: epoch, User: 3 * time.Second, Kernel: 2 * time.Second,
	Commit: 21, WorkingSet: 23, PrivateWorkingSet: 22, SharedWorkingSet: 1, PageFaults: 24, Threads: 2, Handles: 40,
	Known: stats.KnownImage | stats.KnownParent | stats.KnownTimes | stats.KnownMemory | stats.KnownPrivate |
		stats.KnownThreads | stats.KnownHandles,
}

// User time is user time: the reference sends the kernel's twice.
func TestProcessDetails(t *testing.T) {
	want := &options.ProcessDetails{
		ImageName: "w.exe", CreatedAt: timestamppb.New(epoch), KernelTime_100Ns: 2e7, UserTime_100Ns: 3e7,
		MemoryCommitBytes: 21, MemoryWorkingSetPrivateBytes: 22, MemoryWorkingSetSharedBytes: 1, ProcessID: 12, ExecID: "e1",
	}
	if diff := cmp.Diff(want, process.Runhcs("e1"), protocmp.Transform()); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	bare := &options.ProcessDetails{ProcessID: 12}
	if diff := cmp.Diff(bare, stats.Process{Pid: 12}.Runhcs(""), protocmp.Transform()); diff != "" {
		t.Errorf("details of a bare pid (-want +got):\n%s", diff)
	}
}

// The JSON forms do not change: others read them.
func TestJSON(t *testing.T) {
	lacking := stats.Sample{Timestamp: epoch}
	lacking.Figures[stats.FigureStorage].Err = errors.New("refused")
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
