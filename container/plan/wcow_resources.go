package plan

import (
	"fmt"
	"math"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/schema"
)

func (v *WCOW) planResources(s *specs.Spec) error {
	q, err := v.read(v.host, Requested{}, s.Windows.Resources, s.Annotations)
	if err != nil {
		return err
	}
	c := v.Document.Container
	c.Processor, c.Memory = v.processor(q.next.processor), memory(q.next.memory)
	v.Affinity, v.Requested = q.next.affinity, q.next
	return v.planStorage(q.bps, q.iops)
}

// processor is what the service is told of the processors. More of them than there are mean all, as for a job container.
func (v *WCOW) processor(p processorLimit) *schema.Processor {
	switch p.kind {
	case byCount:
		return &schema.Processor{Count: uint32(min(p.value, uint64(v.host.Processors)))}
	case byMaximum:
		return &schema.Processor{Maximum: int64(p.value)}
	case byShares:
		return &schema.Processor{Weight: int64(p.value)}
	}
	return &schema.Processor{}
}

// memory is nil for no limit. The service counts in megabytes; a part of one is rounded up, so that the container
// gets no less than it was promised.
func memory(w wish) *schema.Memory {
	if w.value == 0 {
		return nil
	}
	return &schema.Memory{SizeInMB: w.value>>20 + min(1, w.value&(1<<20-1))}
}

func (v *WCOW) planStorage(bps, iops wish) error {
	for _, w := range []wish{bps, iops} {
		if w.value > math.MaxInt32 {
			return fmt.Errorf("%s %d: use 1 to %d: %w", w.field, w.value, math.MaxInt32, errdefs.ErrInvalidArgument)
		}
	}
	v.Document.Container.Storage = &schema.Storage{}
	if bps.value > 0 || iops.value > 0 {
		v.Document.Container.Storage.QoS = &schema.StorageQoS{BandwidthMaximum: bps.value, IopsMaximum: iops.value}
	}
	return nil
}
