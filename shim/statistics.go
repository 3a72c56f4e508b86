package shim

import (
	"time"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// idleStatistics are those of what runs since started, or not at all, and uses nothing.
func idleStatistics(started time.Time) *stats.Statistics {
	now := time.Now()
	w := &stats.WindowsContainerStatistics{
		Timestamp: timestamppb.New(now),
		Processor: &stats.WindowsContainerProcessorStatistics{},
		Memory:    &stats.WindowsContainerMemoryStatistics{},
		Storage:   &stats.WindowsContainerStorageStatistics{},
	}
	if !started.IsZero() {
		w.ContainerStartTime, w.UptimeNS = timestamppb.New(started), uint64(now.Sub(started))
	}
	return &stats.Statistics{Container: &stats.Statistics_Windows{Windows: w}}
}

// add adds the figures of one container of a pod to those of the pod. Peaks need not have come at one time: their sum
// is what the pod has stayed below.
func add(pod, one *stats.WindowsContainerStatistics) {
	if p, o := pod.Processor, one.GetProcessor(); o != nil {
		p.TotalRuntimeNS += o.TotalRuntimeNS
		p.RuntimeUserNS += o.RuntimeUserNS
		p.RuntimeKernelNS += o.RuntimeKernelNS
	}
	if p, o := pod.Memory, one.GetMemory(); o != nil {
		p.MemoryUsageCommitBytes += o.MemoryUsageCommitBytes
		p.MemoryUsageCommitPeakBytes += o.MemoryUsageCommitPeakBytes
		p.MemoryUsagePrivateWorkingSetBytes += o.MemoryUsagePrivateWorkingSetBytes
	}
	if p, o := pod.Storage, one.GetStorage(); o != nil {
		p.ReadCountNormalized += o.ReadCountNormalized
		p.ReadSizeBytes += o.ReadSizeBytes
		p.WriteCountNormalized += o.WriteCountNormalized
		p.WriteSizeBytes += o.WriteSizeBytes
	}
}
