package plan

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

// HostProcessUpdate is a change of the limits of a job container. When Limits are in force, Requested is for the next
// update.
type HostProcessUpdate struct {
	Limits    jobobject.Limits
	Requested Requested
	Warnings  []string
}

// Update plans a change of limits: the limits now, with those that r and the annotations a name replaced. A limit that
// has the value of the request before does not change. A processor limit replaces any other processor limit, because a
// job has one. Errors are those of [Machine.HostProcess].
func (j *HostProcess) Update(now jobobject.Limits, before Requested, r *specs.WindowsResources, a map[string]string) (*HostProcessUpdate, error) {
	u := j.forUpdate(a)
	q, err := u.read(j.host, before, r, a)
	if err != nil {
		return nil, err
	}
	if err := u.unsupportedStorage(q, "a job container cannot limit storage"); err != nil {
		return nil, err
	}
	if q.hasProcessor {
		j.limitCPU(&now, q.next.processor)
	}
	if q.hasMemory {
		now.JobMemory = q.next.memory.n
	}
	if q.hasAffinity {
		now.Affinity = q.next.affinity
	}
	return &HostProcessUpdate{now, q.next, u.Warnings}, nil
}

func (j *HostProcess) planLimits(s *specs.Spec) error {
	u, err := j.Update(jobobject.Limits{}, Requested{}, s.Windows.Resources, s.Annotations)
	if err != nil {
		return err
	}
	j.Limits, j.Requested, j.Warnings = u.Limits, u.Requested, append(j.Warnings, u.Warnings...)
	return nil
}

// limitCPU replaces the processor limit.
func (j *HostProcess) limitCPU(l *jobobject.Limits, p processorLimit) {
	l.CPURate, l.CPUWeight = 0, 0
	switch p.kind {
	case byCount:
		l.CPURate = jobobject.RateOfCPUs(float64(p.n), j.host.Processors)
	case byMaximum:
		l.CPURate = uint32(p.n)
	case byShares:
		l.CPUWeight = jobobject.WeightOfShares(uint32(p.n))
	}
}
