package stats_test

import (
	"errors"
	"testing"
	"time"

	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// job answers from figures, or refuses what refuses names.
type job struct{ refuses map[stats.Figure]error }

func (j job) Memory() (jobobject.MemoryUsage, error) {
	return jobobject.MemoryUsage{Commit: 11, PeakCommit: 12}, j.refuses[stats.FigureMemory]
}

func (j job) Accounting() (jobobject.Accounting, error) {
	return jobobject.Accounting{UserTime: 3 * time.Second, KernelTime: 2 * time.Second}, j.refuses[stats.FigureProcessor]
}

func (j job) Storage() (jobobject.IOAttribution, error) {
	return jobobject.IOAttribution{ReadCount: 1, ReadBytes: 2, WriteCount: 3, WriteBytes: 4}, j.refuses[stats.FigureStorage]
}

func (j job) PrivateWorkingSet() (uint64, error) { return 13, j.refuses[stats.FigurePrivateWorkingSet] }

// clock advances a second at each look.
type clock struct{ at time.Time }

func (c *clock) now() time.Time {
	c.at = c.at.Add(time.Second)
	return c.at
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestSampleComplete(t *testing.T) {
	c := stats.NewCollector(job{}, (&clock{at: epoch}).now)
	got := c.Sample(epoch.Add(-time.Minute))
	want := &runhcs.Statistics{Container: &runhcs.Statistics_Windows{Windows: &runhcs.WindowsContainerStatistics{
		Timestamp:          timestamppb.New(epoch.Add(time.Second)),
		ContainerStartTime: timestamppb.New(epoch.Add(-time.Minute)),
		UptimeNS:           uint64(62 * time.Second),
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
	if diff := cmp.Diff(want, got.Runhcs(), protocmp.Transform()); diff != "" {
		t.Errorf("statistics (-want +got):\n%s", diff)
	}
	if len(got.Missing) != 0 {
		t.Errorf("missing: %v, want none", got.Missing)
	}
}

func TestSampleLeavesOutWhatTheKernelRefuses(t *testing.T) {
	refused := errors.New("refused")
	for _, f := range []stats.Figure{
		stats.FigureMemory, stats.FigureProcessor, stats.FigureStorage, stats.FigurePrivateWorkingSet,
	} {
		t.Run(string(f), func(t *testing.T) {
			s := stats.NewCollector(job{refuses: map[stats.Figure]error{f: refused}}, nil).Sample(time.Time{})
			if len(s.Missing) != 1 || s.Missing[0].Figure != f || !errors.Is(s.Missing[0].Err, refused) {
				t.Fatalf("missing: %v, want %s alone", s.Missing, f)
			}
			w := s.Runhcs().GetWindows()
			if (w.Processor == nil) != (f == stats.FigureProcessor) || (w.Storage == nil) != (f == stats.FigureStorage) {
				t.Errorf("processor %v, storage %v with %s refused", w.Processor, w.Storage, f)
			}
			m := w.Memory
			if (m.MemoryUsageCommitBytes == 0) != (f == stats.FigureMemory) ||
				(m.MemoryUsagePrivateWorkingSetBytes == 0) != (f == stats.FigurePrivateWorkingSet) {
				t.Errorf("memory %v with %s refused", m, f)
			}
		})
	}
}

func TestSampleOfAnUnstartedContainerHasNoUptime(t *testing.T) {
	w := stats.NewCollector(job{}, nil).Sample(time.Time{}).Runhcs().GetWindows()
	if w.UptimeNS != 0 || w.ContainerStartTime != nil {
		t.Errorf("uptime %d since %v, want none", w.UptimeNS, w.ContainerStartTime)
	}
}
