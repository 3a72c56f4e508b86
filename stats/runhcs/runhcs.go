// Package runhcs turns statistics into the messages of hcsshim's shim, containerd-shim-runhcs-v1.
//
//	stats.Sample  ─► Statistics      containerd.runhcs.stats.v1.Statistics, which containerd's CRI plugin reads
//	stats.Process ─► ProcessDetails  containerd.runhcs.v1.ProcessDetails, which ctr and crictl show
//
// It is apart from package stats so that a program which only samples links neither hcsshim nor protobuf. The messages
// are defined at https://github.com/microsoft/hcsshim/tree/main/cmd/containerd-shim-runhcs-v1.
package runhcs

import (
	"time"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	wire "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/stats"
)

// Statistics is the sample as the only message that containerd's CRI plugin accepts for a Windows container. A metric
// that is missing stays unset. Times are in nanoseconds, sizes in bytes.
func Statistics(s stats.Sample) *wire.Statistics {
	w := &wire.WindowsContainerStatistics{Timestamp: timestamppb.New(s.Timestamp)}
	if s.Has(stats.MetricStarted) {
		w.ContainerStartTime = timestamppb.New(s.Started)
		w.UptimeNS = nanoseconds(s.Uptime)
	}
	if p := s.Processor; s.Has(stats.MetricProcessor) {
		w.Processor = &wire.WindowsContainerProcessorStatistics{
			TotalRuntimeNS:  nanoseconds(p.Total()),
			RuntimeUserNS:   nanoseconds(p.User),
			RuntimeKernelNS: nanoseconds(p.Kernel),
		}
	}
	if m := s.Memory; s.Has(stats.MetricMemory) || s.Has(stats.MetricPrivateWorkingSet) {
		w.Memory = &wire.WindowsContainerMemoryStatistics{
			MemoryUsageCommitBytes:            m.Commit,
			MemoryUsageCommitPeakBytes:        m.PeakCommit,
			MemoryUsagePrivateWorkingSetBytes: m.PrivateWorkingSet,
		}
	}
	if d := s.Storage; s.Has(stats.MetricStorage) {
		w.Storage = &wire.WindowsContainerStorageStatistics{
			ReadCountNormalized:  d.Reads,
			ReadSizeBytes:        d.ReadBytes,
			WriteCountNormalized: d.Writes,
			WriteSizeBytes:       d.WriteBytes,
		}
	}
	return &wire.Statistics{Container: &wire.Statistics_Windows{Windows: w}}
}

// ProcessDetails is the process as the message that ctr and crictl show. execID is the id of the exec whose first
// process it is, or empty. What is unknown of the process stays unset. Times are in units of 100 nanoseconds.
func ProcessDetails(p stats.Process, execID string) *options.ProcessDetails {
	d := &options.ProcessDetails{
		ProcessID: p.Pid, ExecID: execID, ImageName: p.Image,
		KernelTime_100Ns: nanoseconds(p.Kernel) / 100, UserTime_100Ns: nanoseconds(p.User) / 100,
		MemoryCommitBytes:            p.Commit,
		MemoryWorkingSetPrivateBytes: p.PrivateWorkingSet, MemoryWorkingSetSharedBytes: p.SharedWorkingSet,
	}
	if p.Has(stats.KnownTimes) {
		d.CreatedAt = timestamppb.New(p.Created)
	}
	return d
}

// nanoseconds of a duration; the messages have no sign.
func nanoseconds(d time.Duration) uint64 { return uint64(max(0, d)) }
