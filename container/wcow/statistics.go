package wcow

import (
	"context"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/stats"
)

// newStatistics makes the statistics of a compute system. They come from the job of the silo. The service is queried for
// what the job does not return.
func newStatistics(k jobobject.Kernel, id string, system *hcs.System) *stats.System {
	return stats.NewSystem(stats.SystemOptions{
		ID: id, SystemType: "container", Owner: plan.Owner, Service: system, Kernel: k, BusyAfter: container.BusyAfter,
		Fallback: func(types []schema.PropertyType, reason error) {
			log.L.WithField(logfield.ContainerID, id).WithError(reason).Infof("the compute service is queried for %v", types)
		},
	})
}

// Stats implements [container.Container]. If the service fails, the metrics that it was queried for are missing.
func (s *Container) Stats(ctx context.Context, started time.Time) (stats.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, container.CallTimeout)
	defer cancel()
	p, err := s.statistics.Properties(ctx, started, schema.PropertyStatistics)
	if p.Statistics == nil {
		return stats.Sample{}, errclass.Add(err)
	}
	if err != nil {
		log.L.WithField(logfield.ContainerID, s.id).WithError(err).Debug("statistics are incomplete")
	}
	return *p.Statistics, nil
}

// Processes implements [container.Container].
func (s *Container) Processes(ctx context.Context) ([]stats.Process, error) {
	s.mu.Lock()
	started := s.started
	s.mu.Unlock()
	if !started || s.hasExited() {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, container.CallTimeout)
	defer cancel()
	p, err := s.statistics.Properties(ctx, time.Time{}, schema.PropertyProcessList)
	if err != nil && s.hasExited() {
		return nil, nil
	}
	return p.ProcessList, errclass.Add(err)
}
