package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// WCOWUpdate is a change of the limits of a Windows Server container. When all of it is in force, Requested is for the
// next update.
type WCOWUpdate struct {
	// Requests are for the Host Compute Service.
	Requests []*schema.ModifySettingRequest
	// Affinity is nil if the processors do not change.
	Affinity  []jobobject.GroupAffinity
	Requested Requested
	Warnings  []string
}

// Update plans a change of limits. A limit that is not named, or has the value of the request before, does not change. A
// limit that cannot change while the container runs is [errdefs.ErrNotImplemented] and names the field.
func (v *WCOW) Update(before Requested, r *specs.WindowsResources, a map[string]string) (*WCOWUpdate, error) {
	u := v.forUpdate(a)
	q, err := u.read(v.host, before, r, a)
	if err != nil {
		return nil, err
	}
	if err := u.unsupportedStorage(q, "the storage limits of a running Windows Server container cannot change"); err != nil {
		return nil, err
	}
	update := &WCOWUpdate{Requested: q.next, Warnings: u.Warnings}
	if q.hasAffinity && !slices.Equal(q.next.affinity, before.affinity) {
		update.Affinity = q.next.affinity
	}
	update.Requests, err = v.requests(q)
	return update, err
}

// requests has a request for every limit that is named. One that is in force already is requested again, because an
// update before may have failed half-way.
func (v *WCOW) requests(q *request) (list []*schema.ModifySettingRequest, err error) {
	add := func(path string, settings any) {
		r, failed := schema.NewModifySetting(schema.RequestUpdate, path, settings)
		list, err = append(list, r), cmp.Or(err, failed)
	}
	if q.hasProcessor {
		add(schema.PathProcessor, v.processor(q.next.processor))
	}
	if q.hasMemory {
		add(schema.PathMemory, memory(q.next.memory).SizeInMB)
	}
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	return list, nil
}

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

// processor is the processor limit of the document. As for a job container, a count above that of the machine is all
// processors.
func (v *WCOW) processor(p processorLimit) *schema.Processor {
	switch p.kind {
	case byCount:
		return &schema.Processor{Count: uint32(min(p.n, uint64(v.host.Processors)))}
	case byMaximum:
		return &schema.Processor{Maximum: int64(p.n)}
	case byShares:
		return &schema.Processor{Weight: int64(p.n)}
	}
	return &schema.Processor{}
}

// memory is the memory limit of the document, or nil for none. It is rounded up to megabytes, so that the container does
// not get less than requested.
func memory(limit value) *schema.Memory {
	if limit.n == 0 {
		return nil
	}
	return &schema.Memory{SizeInMB: limit.n>>20 + min(1, limit.n&(1<<20-1))}
}

func (v *WCOW) planStorage(bps, iops value) error {
	for _, limit := range []value{bps, iops} {
		if limit.n > math.MaxInt32 {
			return fmt.Errorf("%s %d: use 1 to %d: %w", limit.field, limit.n, math.MaxInt32, errdefs.ErrInvalidArgument)
		}
	}
	v.Document.Container.Storage = &schema.Storage{}
	if bps.n > 0 || iops.n > 0 {
		v.Document.Container.Storage.QoS = &schema.StorageQoS{BandwidthMaximum: bps.n, IopsMaximum: iops.n}
	}
	return nil
}
