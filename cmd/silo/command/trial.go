package command

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// trials are what selftest tries, each in a job of its own.
var trials = []struct {
	name   string
	limits jobobject.Limits
	run    func(context.Context, *stage) error
}{
	{"the exit code is the program's", jobobject.Limits{}, func(ctx context.Context, s *stage) error {
		p, err := s.start("top", "--sort", "nothing")
		if err != nil {
			return err
		}
		return ends(ctx, p, codeOwn)
	}},
	{"a program is born in its job", jobobject.Limits{}, func(_ context.Context, s *stage) error {
		p, err := s.idle()
		if err != nil {
			return err
		}
		pids, err := s.job.Pids()
		if err == nil && !slices.Contains(pids, p.Pid()) {
			err = fmt.Errorf("process %d is not among %v", p.Pid(), pids)
		}
		return err
	}},
	{"termination reaches every process", jobobject.Limits{}, func(ctx context.Context, s *stage) error {
		for range 3 {
			if _, err := s.idle(); err != nil {
				return err
			}
		}
		if err := s.job.Terminate(77); err != nil {
			return err
		}
		if err := s.job.WaitEmpty(ctx); err != nil {
			return err
		}
		for _, p := range s.processes {
			if err := ends(ctx, p, 77); err != nil {
				return err
			}
		}
		return nil
	}},
	{"processes end with the last handle of the job", jobobject.Limits{}, func(ctx context.Context, s *stage) error {
		p, err := s.idle()
		if err != nil {
			return err
		}
		if err := s.job.Close(); err != nil {
			return err
		}
		_, err = p.Wait(ctx)
		return err
	}},
	{"a process limit refuses one more", jobobject.Limits{ActiveProcesses: 1}, func(_ context.Context, s *stage) error {
		if _, err := s.idle(); err != nil {
			return err
		}
		if _, err := s.idle(); err == nil {
			return errors.New("a second process was started")
		}
		return nil
	}},
	{"a memory limit keeps a program from starting that needs more", jobobject.Limits{JobMemory: 1 << 20}, func(ctx context.Context, s *stage) error {
		p, err := s.start("version")
		if err != nil {
			return nil // refused at once
		}
		if code, err := p.Wait(ctx); err != nil || code != 0 {
			return err
		}
		return errors.New("it ran with 1 MiB")
	}},
	{"limits are told back", jobobject.Limits{JobMemory: 1 << 30, CPURate: 5000, ActiveProcesses: 9}, func(_ context.Context, s *stage) error {
		l, err := s.job.QueryLimits()
		if err == nil && (l.JobMemory != 1<<30 || l.CPURate != 5000 || l.ActiveProcesses != 9 || !l.KillOnClose) {
			err = fmt.Errorf("others are told: %+v", l)
		}
		return err
	}},
	{"the kernel tells memory, time and processes of a job", jobobject.Limits{}, figures(stats.FigureMemory, stats.FigureProcessor, stats.FigureProcesses)},
	{"the kernel tells private working sets", jobobject.Limits{}, figures(stats.FigurePrivateWorkingSet)},
	{"the kernel tells storage traffic", jobobject.Limits{}, figures(stats.FigureStorage)},
	{"a job is paused and goes on", jobobject.Limits{}, func(_ context.Context, s *stage) error {
		return errors.Join(s.job.Freeze(), s.job.Thaw())
	}},
	{"a job becomes a silo", jobobject.Limits{}, func(_ context.Context, s *stage) error { return s.job.PromoteToSilo() }},
}

// figures is a trial of a sample of one idle process.
func figures(wanted ...stats.Figure) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error {
		if _, err := s.idle(); err != nil {
			return err
		}
		sample := stats.NewCollector(s.job, stats.Options{Now: s.app.Now}).Sample(s.app.Now())
		return told(&sample, wanted...)
	}
}
