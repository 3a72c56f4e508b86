package stats

import (
	"time"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Runhcs is the sample as containerd.runhcs.stats.v1.Statistics, the only type that containerd's CRI accepts for a
// Windows container. What is missing stays unset.
func (s Sample) Runhcs() *runhcs.Statistics {
	w := &runhcs.WindowsContainerStatistics{Timestamp: timestamppb.New(s.Timestamp)}
	if s.Has(FigureStarted) {
		w.ContainerStartTime = timestamppb.New(s.Started)
		w.UptimeNS = nanoseconds(s.Uptime)
	}
	if p := s.Processor; s.Has(FigureProcessor) {
		w.Processor = &runhcs.WindowsContainerProcessorStatistics{
			TotalRuntimeNS:  nanoseconds(p.Total()),
			RuntimeUserNS:   nanoseconds(p.User),
			RuntimeKernelNS: nanoseconds(p.Kernel),
		}
	}
	if m := s.Memory; s.Has(FigureMemory) || s.Has(FigurePrivateWorkingSet) {
		w.Memory = &runhcs.WindowsContainerMemoryStatistics{
			MemoryUsageCommitBytes:            m.Commit,
			MemoryUsageCommitPeakBytes:        m.PeakCommit,
			MemoryUsagePrivateWorkingSetBytes: m.PrivateWorkingSet,
		}
	}
	if d := s.Storage; s.Has(FigureStorage) {
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

// Runhcs is the process as containerd.runhcs.v1.ProcessDetails, the type that ctr and crictl read. execID is the
// exec that the process is the first of, or empty.
func (p Process) Runhcs(execID string) *options.ProcessDetails {
	d := &options.ProcessDetails{
		ProcessID: p.Pid, ExecID: execID, ImageName: p.Image,
		KernelTime_100Ns: ticks(p.Kernel), UserTime_100Ns: ticks(p.User),
		MemoryCommitBytes:            p.Commit,
		MemoryWorkingSetPrivateBytes: p.PrivateWorkingSet, MemoryWorkingSetSharedBytes: p.SharedWorkingSet,
	}
	if p.Has(KnownTimes) {
		d.CreatedAt = timestamppb.New(p.Created)
	}
	return d
}

// ticks are steps of 100 ns.
func ticks(d time.Duration) uint64 { return nanoseconds(d) / 100 }
