package host

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/stats"
)

// figures are the statistics of a Windows Server container: from the silo's own job, and what that refuses from the
// service.
type figures struct {
	// Immutable after init.
	options stats.SystemOptions

	// mu guards the fields below.
	mu      sync.Mutex
	system  *stats.System
	started time.Time
}

func (f *figures) init(h Host, s *Server) {
	f.options = stats.SystemOptions{
		ID: s.id, SystemType: "container", Owner: spec.Owner, Service: service{s},
		Collector: stats.Options{Kernel: h.Kernel},
		Fallback: func(types []stats.PropertyType, reason error) {
			log.L.WithField(logfield.ContainerID, s.id).WithError(reason).Infof("the compute service is asked for %v", types)
		},
	}
}

// of returns the system that knows when init started.
func (f *figures) of(started time.Time) *stats.System {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.system == nil || !f.started.Equal(started) {
		if f.system != nil {
			_ = f.system.Close() // it kept nothing
		}
		o := f.options
		o.Started, f.started = started, started
		f.system = stats.NewSystem(o)
	}
	return f.system
}

// current is the system of the last sample, or a new one.
func (f *figures) current() *stats.System {
	f.mu.Lock()
	started := f.started
	f.mu.Unlock()
	return f.of(started)
}

// release gives back what is kept; questions can still be asked.
func (f *figures) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.system != nil {
		_ = f.system.Close() // handles that were opened for questions only
		f.system = nil
	}
}

// Stats samples the container. A service that hangs costs a bounded time and the figures that it was asked for.
func (s *Server) Stats(started time.Time) stats.Sample {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := s.figures.of(started).Properties(ctx, stats.PropertyStatistics)
	if err != nil {
		log.L.WithField(logfield.ContainerID, s.id).WithError(err).Debug("statistics are incomplete")
	}
	if p.Statistics == nil {
		return stats.Sample{Timestamp: time.Now()}
	}
	return *p.Statistics
}

// Processes lists every process inside.
func (s *Server) Processes() ([]stats.Process, error) {
	s.mu.Lock()
	idle := !s.started
	s.mu.Unlock()
	if idle || s.over() {
		return nil, nil // the silo of a container that does not run is of no interest
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := s.figures.current().Properties(ctx, stats.PropertyProcessList)
	if err != nil && s.over() {
		return nil, nil
	}
	return p.ProcessList, classify(err)
}

// Pids lists every process inside.
func (s *Server) Pids() ([]uint32, error) {
	list, err := s.Processes()
	if err != nil {
		return nil, err
	}
	pids := make([]uint32, len(list))
	for i := range list {
		pids[i] = list[i].Pid
	}
	return pids, nil
}

// service is the compute service as statistics need it.
type service struct{ *Server }

// Properties implements [stats.Service].
func (s service) Properties(ctx context.Context, types []stats.PropertyType) (stats.Properties, error) {
	wanted := make([]schema.PropertyType, len(types))
	for i, t := range types {
		wanted[i] = schema.PropertyType(t)
	}
	if s.system == nil {
		return stats.Properties{}, fmt.Errorf("query system %s: %w", s.id, hcs.ErrClosed)
	}
	p, err := s.system.Properties(ctx, wanted...)
	if err != nil {
		return stats.Properties{}, err
	}
	out := stats.Properties{ID: p.Id, SystemType: string(p.SystemType), RuntimeOSType: p.RuntimeOsType, Owner: p.Owner}
	if p.Statistics != nil {
		out.Statistics = sampleOf(p.Statistics)
	}
	for i := range p.ProcessList {
		out.ProcessList = append(out.ProcessList, processOf(&p.ProcessList[i]))
	}
	return out, nil
}

// sampleOf is the service's document as a sample.
func sampleOf(d *schema.Statistics) *stats.Sample {
	s := &stats.Sample{Timestamp: d.Timestamp}
	told := func(f stats.Metric) {
		s.Metrics[f] = stats.Provenance{Source: stats.SourceService, Quality: stats.Exact}
	}
	if !d.ContainerStartTime.IsZero() {
		s.Started, s.Uptime = d.ContainerStartTime, ticks(d.Uptime100ns)
		told(stats.MetricStarted)
	}
	if p := d.Processor; p != nil {
		s.Processor = stats.Processor{User: ticks(p.RuntimeUser100ns), Kernel: ticks(p.RuntimeKernel100ns)}
		told(stats.MetricProcessor)
	}
	if m := d.Memory; m != nil {
		s.Memory.Commit, s.Memory.PeakCommit = m.MemoryUsageCommitBytes, m.MemoryUsageCommitPeakBytes
		s.Memory.PrivateWorkingSet = m.MemoryUsagePrivateWorkingSetBytes
		told(stats.MetricMemory)
		told(stats.MetricPrivateWorkingSet)
	}
	if d := d.Storage; d != nil {
		s.Storage = stats.Storage{
			Reads: d.ReadCountNormalized, ReadBytes: d.ReadSizeBytes, Writes: d.WriteCountNormalized, WriteBytes: d.WriteSizeBytes,
		}
		told(stats.MetricStorage)
	}
	return s
}

func processOf(d *schema.ProcessDetails) stats.Process {
	private, shared := d.MemoryWorkingSetPrivateBytes, d.MemoryWorkingSetSharedBytes
	return stats.Process{
		Pid: d.ProcessId, Image: d.ImageName, Created: d.CreateTimestamp,
		User: ticks(d.UserTime100ns), Kernel: ticks(d.KernelTime100ns),
		Commit: d.MemoryCommitBytes, WorkingSet: private + shared, PrivateWorkingSet: private, SharedWorkingSet: shared,
		Known: stats.KnownImage | stats.KnownTimes | stats.KnownMemory | stats.KnownPrivate,
	}
}

// ticks are the service's steps of 100 ns. What does not fit is as much as fits.
func ticks(n uint64) time.Duration {
	const most = uint64(1<<63-1) / 100
	return time.Duration(min(n, most) * 100)
}
