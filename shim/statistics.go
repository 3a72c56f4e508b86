package shim

import (
	"time"

	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"

	"github.com/siloshim/siloshim/stats"
)

// idleSample is that of a container that runs since started, or not at all, and uses nothing.
func idleSample(started time.Time) (s stats.Sample) {
	s.Timestamp = time.Now()
	known := []stats.Figure{stats.FigureProcessor, stats.FigureMemory, stats.FigurePrivateWorkingSet, stats.FigureStorage}
	if !started.IsZero() {
		s.Started, s.Uptime = started, s.Timestamp.Sub(started)
		known = append(known, stats.FigureStarted)
	}
	for _, f := range known {
		s.Figures[f].Quality = stats.Exact
	}
	return s
}

// add adds the figures of one container of a pod to those of the pod. Peaks need not have come at one time: their sum
// is what the pod has stayed below.
func add(pod, one *runhcs.WindowsContainerStatistics) {
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
