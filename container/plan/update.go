package plan

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/schema"
)

// HostProcessUpdate is a change of the limits of a job container. Once Limits are in force, Requested is for the next one.
type HostProcessUpdate struct {
	Limits    Limits
	Requested Requested
	Warnings  []string
}

// Update plans a change of limits: now with what r and the annotations a name in its place. What they name as it was
// named before stays as it is. A processor limit takes the place of whichever was there, as only one of them can be. Its
// errors are those of [Machine.HostProcess].
func (j *HostProcess) Update(now Limits, before Requested, r *specs.WindowsResources, a map[string]string) (*HostProcessUpdate, error) {
	c := j.compromise(a)
	q, err := c.read(j.host, before, r, a)
	if err != nil {
		return nil, err
	}
	for _, w := range []wish{q.bps, q.iops} {
		if w.value == 0 {
			continue
		}
		if err := c.lacks(w.field, "a job container cannot limit storage"); err != nil {
			return nil, err
		}
	}
	if q.hasProcessor {
		j.limitCPU(&now, q.next.processor)
	}
	if q.hasMemory {
		now.MemoryBytes = q.next.memory.value
	}
	if q.hasAffinity {
		now.Affinity = q.next.affinity
	}
	return &HostProcessUpdate{now, q.next, c.Warnings}, nil
}

// WCOWUpdate is a change of the limits of a Windows Server container. Once all of it is in force, Requested is for the
// next one.
type WCOWUpdate struct {
	// Requests are for the service.
	Requests []*schema.ModifySettingRequest
	// Affinity are other processors to run on than before, or nil.
	Affinity  []Affinity
	Requested Requested
	Warnings  []string
}

// Update plans a change of limits; those that are not named, or are named as they were before, stay as they are. What
// would have to change and cannot while the container runs is [errdefs.ErrNotImplemented] and names the field.
func (v *WCOW) Update(before Requested, r *specs.WindowsResources, a map[string]string) (*WCOWUpdate, error) {
	c := v.compromise(a)
	q, err := c.read(v.host, before, r, a)
	if err != nil {
		return nil, err
	}
	for _, w := range []wish{q.bps, q.iops} {
		if w.value == 0 {
			continue
		}
		if err := c.lacks(w.field, "a running Windows Server container keeps its storage limits"); err != nil {
			return nil, err
		}
	}
	u := &WCOWUpdate{Requested: q.next, Warnings: c.Warnings}
	if q.hasAffinity && !sameAffinity(q.next.affinity, before.affinity) {
		u.Affinity = q.next.affinity
	}
	u.Requests, err = v.requests(q)
	return u, err
}

// requests ask for all that is named: to ask again for what is in force does no harm, and mends an update that failed
// half-way.
func (v *WCOW) requests(q *request) (list []*schema.ModifySettingRequest, err error) {
	add := func(path string, settings any) {
		r, failed := schema.NewModifySetting(schema.RequestUpdate, path, settings)
		list, err = append(list, r), first(err, failed)
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

// compromise is for an update with annotations: best effort is enough if it was for the container, or is now.
func (c *Compromise) compromise(a map[string]string) *Compromise {
	return &Compromise{bestEffort: c.bestEffort || a[BestEffort] == "true"}
}
