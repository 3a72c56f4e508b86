package runhcs_test

import (
	"testing"
	"time"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	wire "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/stats"
	"github.com/siloshim/siloshim/stats/runhcs"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)

// complete has every metric of the message, each with another value.
func complete() stats.Sample {
	s := stats.Sample{
		Timestamp: epoch, Started: epoch.Add(-time.Minute), Uptime: time.Minute,
		Processor: stats.Processor{User: 3 * time.Second, Kernel: 2 * time.Second},
		Memory:    stats.Memory{Commit: 11, PeakCommit: 12, PrivateWorkingSet: 13, WorkingSet: 14, PageFaults: 15},
		Storage:   stats.Storage{Reads: 1, ReadBytes: 2, Writes: 3, WriteBytes: 4},
	}
	for m := range s.Metrics {
		s.Metrics[m] = stats.Provenance{Source: stats.SourceJob, Quality: stats.Exact}
	}
	return s
}

// S33: nanoseconds on the wire.
func TestS33Statistics(t *testing.T) {
	want := &wire.Statistics{Container: &wire.Statistics_Windows{Windows: &wire.WindowsContainerStatistics{
		Timestamp:          timestamppb.New(epoch),
		ContainerStartTime: timestamppb.New(epoch.Add(-time.Minute)),
		UptimeNS:           uint64(time.Minute),
		Processor: &wire.WindowsContainerProcessorStatistics{
			TotalRuntimeNS: 5e9, RuntimeUserNS: 3e9, RuntimeKernelNS: 2e9,
		},
		Memory: &wire.WindowsContainerMemoryStatistics{
			MemoryUsageCommitBytes: 11, MemoryUsageCommitPeakBytes: 12, MemoryUsagePrivateWorkingSetBytes: 13,
		},
		Storage: &wire.WindowsContainerStorageStatistics{
			ReadCountNormalized: 1, ReadSizeBytes: 2, WriteCountNormalized: 3, WriteSizeBytes: 4,
		},
	}}}
	if diff := cmp.Diff(want, runhcs.Statistics(complete()), protocmp.Transform()); diff != "" {
		t.Errorf("statistics (-want +got):\n%s", diff)
	}
}

// S33: what is missing stays unset. S34: there is no network anywhere.
func TestS33S34StatisticsOfAnEmptySample(t *testing.T) {
	want := &wire.Statistics{Container: &wire.Statistics_Windows{Windows: &wire.WindowsContainerStatistics{
		Timestamp: timestamppb.New(epoch),
	}}}
	if diff := cmp.Diff(want, runhcs.Statistics(stats.Sample{Timestamp: epoch}), protocmp.Transform()); diff != "" {
		t.Errorf("statistics (-want +got):\n%s", diff)
	}
}

// process has everything that the message has.
var process = stats.Process{
	Pid: 12, Parent: 4, Image: "w.exe", Created: epoch, User: 3 * time.Second, Kernel: 2 * time.Second,
	Commit: 21, WorkingSet: 23, PrivateWorkingSet: 22, SharedWorkingSet: 1,
	Known: stats.KnownImage | stats.KnownTimes | stats.KnownMemory | stats.KnownPrivate,
}

// User time is user time: the reference sends the kernel's twice.
func TestProcessDetails_EveryField_IsOnTheWire(t *testing.T) {
	want := &options.ProcessDetails{
		ImageName: "w.exe", CreatedAt: timestamppb.New(epoch), KernelTime_100Ns: 2e7, UserTime_100Ns: 3e7,
		MemoryCommitBytes: 21, MemoryWorkingSetPrivateBytes: 22, MemoryWorkingSetSharedBytes: 1, ProcessID: 12, ExecID: "e1",
	}
	if diff := cmp.Diff(want, runhcs.ProcessDetails(process, "e1"), protocmp.Transform()); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	bare := &options.ProcessDetails{ProcessID: 12}
	if diff := cmp.Diff(bare, runhcs.ProcessDetails(stats.Process{Pid: 12}, ""), protocmp.Transform()); diff != "" {
		t.Errorf("details of a bare pid (-want +got):\n%s", diff)
	}
}

// S34: neither form of a sample has a word about a network; containerd asks the network service itself.
func TestS34NoNetwork(t *testing.T) {
	fields := runhcs.Statistics(complete()).GetWindows().ProtoReflect().Descriptor().Fields()
	var names []string
	for i := range fields.Len() {
		names = append(names, string(fields.Get(i).Name()))
	}
	want := []string{"timestamp", "container_start_time", "uptime_ns", "processor", "memory", "storage"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("fields on the wire (-want +got):\n%s", diff)
	}
}

// TestStatistics_SumOfContainers_IsThatOfTheMessages: the message of a pod has the sums of its containers' messages.
func TestStatistics_SumOfContainers_IsThatOfTheMessages(t *testing.T) {
	pod, one := stats.Idle(epoch, epoch.Add(-time.Hour)), complete()
	noStorage := complete()
	noStorage.Storage, noStorage.Metrics[stats.MetricStorage] = stats.Storage{}, stats.Provenance{}
	pod.Add(&one)
	pod.Add(&noStorage)
	want := &wire.Statistics{Container: &wire.Statistics_Windows{Windows: &wire.WindowsContainerStatistics{
		Timestamp: timestamppb.New(epoch), ContainerStartTime: timestamppb.New(epoch.Add(-time.Hour)), UptimeNS: uint64(time.Hour),
		Processor: &wire.WindowsContainerProcessorStatistics{TotalRuntimeNS: 10e9, RuntimeUserNS: 6e9, RuntimeKernelNS: 4e9},
		Memory: &wire.WindowsContainerMemoryStatistics{
			MemoryUsageCommitBytes: 22, MemoryUsageCommitPeakBytes: 24, MemoryUsagePrivateWorkingSetBytes: 26,
		},
		Storage: &wire.WindowsContainerStorageStatistics{
			ReadCountNormalized: 1, ReadSizeBytes: 2, WriteCountNormalized: 3, WriteSizeBytes: 4,
		},
	}}}
	if diff := cmp.Diff(want, runhcs.Statistics(pod), protocmp.Transform()); diff != "" {
		t.Errorf("statistics (-want +got):\n%s", diff)
	}
}
