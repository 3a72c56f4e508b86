package stats

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/siloshim/siloshim/schema"
)

// Service is one compute system at the Host Compute Service, as far as statistics need it. An open system of package hcs
// is one. It must be safe for concurrent use and return when ctx ends.
type Service interface {
	// Properties queries these types.
	Properties(ctx context.Context, types ...schema.PropertyType) (*schema.Properties, error)
}

// fromDocument takes the service's answer apart.
func fromDocument(d *schema.Properties) Properties {
	p := Properties{
		ID: d.Id, SystemType: strings.ToLower(string(d.SystemType)), RuntimeOSType: strings.ToLower(d.RuntimeOsType),
		Owner: d.Owner, Document: d,
	}
	if d.Statistics != nil {
		p.Statistics = sampleOf(d.Statistics)
	}
	for i := range d.ProcessList {
		p.ProcessList = append(p.ProcessList, processOf(&d.ProcessList[i]))
	}
	return p
}

func sampleOf(d *schema.Statistics) *Sample {
	s := &Sample{Timestamp: d.Timestamp}
	set := func(m Metric) { s.setOrigin(m, SourceService, Exact, nil) }
	if !d.ContainerStartTime.IsZero() {
		s.Started, s.Uptime = d.ContainerStartTime, ticks(d.Uptime100ns)
		set(MetricStarted)
	}
	if p := d.Processor; p != nil {
		s.Processor = Processor{User: ticks(p.RuntimeUser100ns), Kernel: ticks(p.RuntimeKernel100ns)}
		set(MetricProcessor)
	}
	if m := d.Memory; m != nil {
		s.Memory.Commit, s.Memory.PeakCommit = m.MemoryUsageCommitBytes, m.MemoryUsageCommitPeakBytes
		s.Memory.PrivateWorkingSet = m.MemoryUsagePrivateWorkingSetBytes
		set(MetricMemory)
		set(MetricPrivateWorkingSet)
	}
	if d := d.Storage; d != nil {
		s.Storage = Storage{
			Reads: d.ReadCountNormalized, ReadBytes: d.ReadSizeBytes, Writes: d.WriteCountNormalized, WriteBytes: d.WriteSizeBytes,
		}
		set(MetricStorage)
	}
	return s
}

func processOf(d *schema.ProcessDetails) Process {
	private, shared := d.MemoryWorkingSetPrivateBytes, d.MemoryWorkingSetSharedBytes
	return Process{
		Pid: d.ProcessId, Image: d.ImageName, Created: d.CreateTimestamp,
		User: ticks(d.UserTime100ns), Kernel: ticks(d.KernelTime100ns),
		Commit: d.MemoryCommitBytes, WorkingSet: addCounts(private, shared), PrivateWorkingSet: private, SharedWorkingSet: shared,
		Known: KnownImage | KnownTimes | KnownMemory | KnownPrivate,
	}
}

// ticks are the service's units of 100 ns. The largest duration stands for what does not fit.
func ticks(n uint64) time.Duration {
	const most = uint64(1<<63-1) / 100
	return time.Duration(min(n, most) * 100)
}

// served are the metrics that the service has as well.
var served = [...]Metric{MetricMemory, MetricProcessor, MetricStorage, MetricPrivateWorkingSet}

// merge is the kernel's answer with the service's in its gaps.
func merge(mine, theirs Properties) Properties {
	out := theirs
	out.ID = cmp.Or(mine.ID, theirs.ID)
	out.SystemType = cmp.Or(mine.SystemType, theirs.SystemType)
	out.RuntimeOSType = cmp.Or(mine.RuntimeOSType, theirs.RuntimeOSType)
	out.Owner = cmp.Or(mine.Owner, theirs.Owner)
	if mine.ProcessList != nil {
		out.ProcessList = mine.ProcessList
	}
	if s := mine.Statistics; s != nil {
		if theirs.Statistics != nil {
			s.fill(theirs.Statistics)
		}
		s.Owner = out.Owner
		out.Statistics = s
	}
	return out
}

// fill takes the metrics that s is missing from the service's sample.
func (s *Sample) fill(from *Sample) {
	for _, m := range served {
		if s.Has(m) || !from.Has(m) {
			continue
		}
		switch m {
		case MetricMemory:
			s.Memory.Commit, s.Memory.PeakCommit = from.Memory.Commit, from.Memory.PeakCommit
		case MetricProcessor:
			s.Processor = from.Processor
		case MetricStorage:
			s.Storage = from.Storage
		case MetricPrivateWorkingSet:
			s.Memory.PrivateWorkingSet = from.Memory.PrivateWorkingSet
		default: // not among those that are served
		}
		s.setOrigin(m, SourceService, from.Metrics[m].Quality, s.Metrics[m].Err)
	}
	// The service started the container, so its start precedes one that was derived from the processes.
	if from.Has(MetricStarted) && s.Metrics[MetricStarted].Quality != Exact {
		s.Started = from.Started
		s.Uptime = max(0, s.Timestamp.Sub(from.Started))
		s.setOrigin(MetricStarted, SourceService, from.Metrics[MetricStarted].Quality, nil)
	}
}
