package hostprocess

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// Update implements [container.Container]: it sets the limits that r and the annotations name, and reads them back. After
// an error it restores the limits, except that the kernel cannot remove an affinity if there was none before.
func (j *Container) Update(ctx context.Context, r *specs.WindowsResources, annotations map[string]string) error {
	if j.adopted {
		return container.ErrUnsupported
	}
	if err := j.updating.Lock(ctx); err != nil {
		return err
	}
	defer j.updating.Unlock()
	next, err := j.plan.Update(j.inForce(), j.requested, r, annotations)
	if err != nil {
		return err
	}
	before := j.job.Limits()
	if err := j.apply(ctx, next.Limits); err != nil {
		return errors.Join(err, errclass.Add(j.job.SetLimits(context.WithoutCancel(ctx), before)))
	}
	j.mu.Lock()
	j.limits = next.Limits
	j.mu.Unlock()
	j.requested = next.Requested
	j.collector.SetLimits(statsLimits(j.job.Limits()))
	container.LogWarnings(j.id, next.Warnings)
	return nil
}

// Status implements [container.Container], with the names that a person reads in the status of a pod. The limits of an
// adopted job are not known here.
func (j *Container) Status() container.Status {
	if j.adopted {
		return container.Status{Violations: j.violations()}
	}
	l := j.inForce()
	all := map[string]any{}
	for name, value := range map[string]uint64{
		"cpu_rate": uint64(l.CPURate), "cpu_weight": uint64(l.CPUWeight), "memory_bytes": l.JobMemory,
	} {
		if value != 0 {
			all[name] = value
		}
	}
	if len(l.Affinity) > 0 {
		all["affinity"] = l.Affinity
	}
	return container.Status{Limits: all, Violations: j.violations()}
}

func (j *Container) inForce() jobobject.Limits {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.limits
}

// apply sets limits and reads them back.
func (j *Container) apply(ctx context.Context, l jobobject.Limits) error {
	want := jobLimits(l)
	if err := j.job.SetLimits(ctx, want); err != nil {
		return errclass.Add(err)
	}
	got, err := j.job.QueryLimits(ctx)
	if err != nil {
		return errclass.Add(err)
	}
	return compareLimits(&want, &got)
}

// compareLimits returns an error for the first limit that is not in force.
func compareLimits(want, got *jobobject.Limits) error {
	switch {
	case pages(want.JobMemory) != pages(got.JobMemory):
		return notInForce("windows.resources.memory.limit", want.JobMemory, got.JobMemory)
	case want.CPURate != got.CPURate:
		return notInForce("windows.resources.cpu.maximum", want.CPURate, got.CPURate)
	case want.CPUWeight != got.CPUWeight:
		return notInForce("windows.resources.cpu.shares", want.CPUWeight, got.CPUWeight)
	case len(want.Affinity) > 0 && !sameAffinity(want.Affinity, got.Affinity):
		return notInForce("windows.resources.cpu.affinity", want.Affinity, got.Affinity)
	}
	return nil
}

func notInForce(field string, want, got any) error {
	return fmt.Errorf("%s: %v was set, but %v is in force: %w", field, want, got, errdefs.ErrNotImplemented)
}

// pages is a size in pages, rounded down as the kernel does.
func pages(n uint64) uint64 { return n / 4096 }

// sameAffinity compares with the processors in force, which may be in any order. A plan has them in the order of their
// groups. All processors of the machine are in force as none.
func sameAffinity(want, got []jobobject.GroupAffinity) bool {
	byGroup := func(a, b jobobject.GroupAffinity) int { return cmp.Compare(a.Group, b.Group) }
	return len(got) == 0 || slices.Equal(want, slices.SortedFunc(slices.Values(got), byGroup))
}

// jobLimits adds to the limits of a plan those that every job container has.
func jobLimits(l jobobject.Limits) jobobject.Limits {
	l.KillOnClose = true
	return l
}

// statsLimits are the limits of a plan for statistics.
func statsLimits(l jobobject.Limits) *stats.Limits {
	return &stats.Limits{CommitBytes: l.JobMemory, ProcessorRate: l.CPURate, ProcessorWeight: l.CPUWeight}
}
