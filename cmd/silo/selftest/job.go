package selftest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/siloshim/siloshim/jobobject"
)

// jobTrials are about what one job accepts after another setting, or beside another job.
var jobTrials = []trial{
	{name: "a memory limit leaves an affinity as it was", settles: "U19", run: func(_ context.Context, s *stage) error {
		return s.raw(func(job jobobject.Handle) error {
			if got, err := s.affinity(job); err != nil || len(got) > 0 {
				return errors.Join(err, unkeptf("a job without an affinity has %v, want all processors", got))
			}
			if err := s.Kernel.SetLimits(job, jobobject.AffinityLimits, &jobobject.Limits{Affinity: first}, false); err != nil {
				return err
			}
			if err := s.Kernel.SetLimits(job, jobobject.ExtendedLimits, &jobobject.Limits{JobMemory: 1 << 30}, false); err != nil {
				return err
			}
			return s.mustHave(job, first)
		})
	}},
	{name: "an affinity cannot be removed, and can be changed", settles: "U28", run: func(_ context.Context, s *stage) error {
		return s.raw(func(job jobobject.Handle) error {
			if s.Processors < 2 {
				return missing{errors.New("a second processor")}
			}
			if err := s.Kernel.SetLimits(job, jobobject.AffinityLimits, &jobobject.Limits{Affinity: first}, false); err != nil {
				return err
			}
			if err := s.Kernel.SetLimits(job, jobobject.AffinityLimits, &jobobject.Limits{}, false); err == nil {
				return unkept("it was removed")
			}
			second := []jobobject.GroupAffinity{{Mask: 2}}
			if err := s.Kernel.SetLimits(job, jobobject.AffinityLimits, &jobobject.Limits{Affinity: second}, false); err != nil {
				return err
			}
			return s.mustHave(job, second)
		})
	}},
	{name: "a silo takes limits after it has become one", settles: "U87", run: func(ctx context.Context, s *stage) error {
		if err := s.job.PromoteToSilo(); err != nil {
			return err
		}
		want := jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, CPURate: 5000, Affinity: first}
		if s.Processors < 2 {
			want.Affinity = nil // it would be all processors, and is read back as none
		}
		if err := s.job.SetLimits(ctx, want); err != nil {
			return err
		}
		got, err := s.job.QueryLimits(ctx)
		if err == nil && (got.JobMemory != want.JobMemory || got.CPURate != want.CPURate || !slices.Equal(got.Affinity, want.Affinity)) {
			err = unkeptf("read back: %+v", got)
		}
		return err
	}},
	{name: "a job with a member of another job takes limits, unless they are of the user interface", settles: "U102", run: nested},
}

// first is the affinity for the first processor.
var first = []jobobject.GroupAffinity{{Mask: 1}}

// raw calls f with a new job of the kernel: package jobobject does not make the calls that a kernel should refuse.
func (s *stage) raw(f func(job jobobject.Handle) error) error {
	job, err := s.Kernel.CreateJob("", jobobject.DefaultSecurityDescriptor)
	if err != nil {
		return err
	}
	return errors.Join(f(job), s.Kernel.CloseHandle(job))
}

// affinity reads the affinity of a job. All processors are none.
func (s *stage) affinity(job jobobject.Handle) ([]jobobject.GroupAffinity, error) {
	var l jobobject.Limits
	err := s.Kernel.QueryLimits(job, jobobject.AffinityLimits, &l)
	return l.Affinity, err
}

// mustHave returns an error for a job with another affinity. On a machine with one processor each affinity is none.
func (s *stage) mustHave(job jobobject.Handle, want []jobobject.GroupAffinity) error {
	got, err := s.affinity(job)
	if err == nil && s.Processors > 1 && !slices.Equal(got, want) {
		err = unkeptf("the affinity is %v, want %v", got, want)
	}
	return err
}

// nested puts a member of the job of the trial into further jobs, as silo attach does.
func nested(ctx context.Context, s *stage) error {
	p, err := s.ready("idle")
	if err != nil {
		return err
	}
	inner, err := s.newJob("", jobobject.Limits{})
	if err != nil {
		return err
	}
	if err := inner.Assign(p.Pid()); err != nil {
		return err
	}
	if err := inner.SetLimits(ctx, jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, PriorityClass: jobobject.PriorityIdle}); err != nil {
		return err
	}
	if l, err := inner.QueryLimits(ctx); err != nil || l.JobMemory != 1<<30 {
		return errors.Join(err, unkeptf("a memory limit of %d bytes was read back", l.JobMemory))
	}
	screen, err := s.newJob("", jobobject.Limits{UI: jobobject.UIDesktop})
	if err != nil {
		return err
	}
	if err := screen.Assign(p.Pid()); err == nil {
		return unkept("a job with limits of the user interface was nested")
	}
	in, err := s.inJob(p.Pid())
	if err == nil && !in {
		err = fmt.Errorf("process %d is in no job, by IsProcessInJob", p.Pid())
	}
	return err
}

// inJob reports whether a process is in any job, as silo attach asks beforehand.
func (s *stage) inJob(pid uint32) (bool, error) {
	h, err := s.Kernel.OpenProcess(pid, jobobject.ProcessQueryLimited)
	if err != nil {
		return false, err
	}
	in, err := s.Kernel.IsProcessInJob(h, 0)
	return in, errors.Join(err, s.Kernel.CloseHandle(h))
}
