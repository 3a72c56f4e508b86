package host

import (
	"context"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/stats"
)

// busyAfter is how long a Stats or Pids may take before those behind it fail. Containerd waits for all tasks of the node.
const busyAfter = 100 * time.Millisecond

// newStatistics makes the statistics of a compute system: from the silo's own job, and what that refuses from the service.
func newStatistics(h Host, id string, system *hcs.System) *stats.System {
	return stats.NewSystem(stats.SystemOptions{
		ID: id, SystemType: "container", Owner: spec.Owner, Service: system, Kernel: h.Kernel, BusyAfter: busyAfter,
		Fallback: func(types []schema.PropertyType, reason error) {
			log.L.WithField(logfield.ContainerID, id).WithError(reason).Infof("the compute service is queried for %v", types)
		},
	})
}

// Stats samples the container. A service that fails costs the metrics that it was queried for.
func (s *Server) Stats(ctx context.Context, started time.Time) (stats.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := s.statistics.Properties(ctx, started, schema.PropertyStatistics)
	if p.Statistics == nil {
		return stats.Sample{}, classify(err)
	}
	if err != nil {
		log.L.WithField(logfield.ContainerID, s.id).WithError(err).Debug("statistics are incomplete")
	}
	return *p.Statistics, nil
}

// Processes lists every process inside. A container that does not run has none.
func (s *Server) Processes(ctx context.Context) ([]stats.Process, error) {
	s.mu.Lock()
	started := s.started
	s.mu.Unlock()
	if !started || s.over() {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := s.statistics.Properties(ctx, time.Time{}, schema.PropertyProcessList)
	if err != nil && s.over() {
		return nil, nil
	}
	return p.ProcessList, classify(err)
}

// Pids lists every process inside.
func (s *Server) Pids() ([]uint32, error) {
	list, err := s.Processes(context.Background())
	if err != nil {
		return nil, err
	}
	pids := make([]uint32, len(list))
	for i := range list {
		pids[i] = list[i].Pid
	}
	return pids, nil
}
