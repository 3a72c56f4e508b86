package stats

import (
	"time"

	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Runhcs is the sample as containerd.runhcs.stats.v1.Statistics, the only type that containerd's CRI accepts for a
// Windows container. What is missing stays unset.
func (s Sample) Runhcs() *runhcs.Statistics {
	w := &runhcs.WindowsContainerStatistics{Timestamp: timestamppb.New(s.Timestamp)}
	if !s.Started.IsZero() {
		w.ContainerStartTime = timestamppb.New(s.Started)
		w.UptimeNS = nanoseconds(s.Uptime)
	}
	if p := s.Processor; p != nil {
		w.Processor = &runhcs.WindowsContainerProcessorStatistics{
			TotalRuntimeNS:  nanoseconds(p.Total()),
			RuntimeUserNS:   nanoseconds(p.User),
			RuntimeKernelNS: nanoseconds(p.Kernel),
		}
	}
	if m := s.Memory; m != nil {
		w.Memory = &runhcs.WindowsContainerMemoryStatistics{
			MemoryUsageCommitBytes:            m.Commit,
			MemoryUsageCommitPeakBytes:        m.PeakCommit,
			MemoryUsagePrivateWorkingSetBytes: m.PrivateWorkingSet,
		}
	}
	if d := s.Storage; d != nil {
		w.Storage = &runhcs.WindowsContainerStorageStatistics{
			ReadCountNormalized:  d.Reads,
			ReadSizeBytes:        d.ReadBytes,
			WriteCountNormalized: d.Writes,
			WriteSizeBytes:       d.WriteBytes,
		}
	}
	return &runhcs.Statistics{Container: &runhcs.Statistics_Windows{Windows: w}}
}

// nanoseconds of a duration; the wire has no sign.
func nanoseconds(d time.Duration) uint64 { return uint64(max(0, d)) }
