package selftest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// burnTime is the time over which processor time is measured.
const burnTime = 3 * time.Second

// limitTrials are about the effect of limits.
var limitTrials = []trial{
	{name: "limits read back are those that were set", limits: jobobject.Limits{JobMemory: 1 << 30, CPURate: 5000, ActiveProcesses: 9}, run: func(ctx context.Context, s *stage) error {
		l, err := s.job.QueryLimits(ctx)
		if err == nil && (l.JobMemory != 1<<30 || l.CPURate != 5000 || l.ActiveProcesses != 9 || !l.KillOnClose) {
			err = fmt.Errorf("read back: %+v", l)
		}
		return err
	}},
	{name: "a process limit refuses one more process and ends none", settles: "U5", limits: jobobject.Limits{ActiveProcesses: 2}, run: oneTooMany},
	{name: "a memory limit refuses an allocation", settles: "U1", limits: jobobject.Limits{JobMemory: 64 << 20}, run: func(ctx context.Context, s *stage) error {
		code, err := s.code(ctx, "alloc", "128")
		if err != nil {
			return err
		}
		if err := mustRefuse(code); err != nil {
			return err
		}
		m, err := s.job.Memory()
		if err == nil && m.PeakCommit > 64<<20 {
			err = fmt.Errorf("the peak is %d bytes, above the limit", m.PeakCommit)
		}
		return err
	}},
	{name: "a memory limit applies to a running program", settles: "U6", run: func(ctx context.Context, s *stage) error {
		p, err := s.ready("grow", "128")
		if err != nil {
			return err
		}
		if err := s.job.SetLimits(ctx, jobobject.Limits{KillOnClose: true, JobMemory: 64 << 20}); err != nil {
			return err
		}
		_ = p.in.Close() // which it waits for
		code, err := p.Wait(ctx)
		return errors.Join(err, mustRefuse(code))
	}},
	{name: "a refused allocation is reported", settles: "U70", limits: jobobject.Limits{JobMemory: 64 << 20}, run: func(ctx context.Context, s *stage) error {
		code, err := s.code(ctx, "alloc", "128")
		if err := errors.Join(err, mustRefuse(code)); err != nil {
			return err
		}
		return s.message(ctx, jobobject.JobMemoryLimit)
	}},
	{name: "a memory threshold is reported, and again once the report was read", settles: "U18", run: twiceAbove},
	{name: "a processor rate limits two processes together", settles: "U2", limits: jobobject.Limits{CPURate: 2000}, run: rateHolds},
	{name: "processor weights share the machine", settles: "U3", limits: jobobject.Limits{CPUWeight: 9}, run: weightsShare},
	{name: "an affinity applies to children of children", settles: "U4", limits: jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 1}}}, run: func(ctx context.Context, s *stage) error {
		if s.Processors < 2 {
			return missing{errors.New("a second processor")}
		}
		code, err := s.code(ctx, "processors")
		if err == nil && code != 1 {
			err = unkeptf("a grandchild may run on %d processors", code)
		}
		return err
	}},
	{name: "a job can be paused and resumed", run: func(_ context.Context, s *stage) error {
		return errors.Join(s.job.Freeze(), s.job.Thaw())
	}},
}

// mustRefuse returns an error for the exit code of a workload that got its memory.
func mustRefuse(code uint32) error {
	if code == 0 {
		return unkept("the program got more than the limit")
	}
	return nil
}

// oneTooMany starts processes until one is refused: on some hosts the console host of a program is a member, too.
func oneTooMany(_ context.Context, s *stage) error {
	first, err := s.ready("idle")
	if err != nil {
		return err
	}
	for range 2 {
		if _, err := s.start("exit", "0"); err != nil {
			pids, err := s.job.Pids()
			if err == nil && len(pids) == 0 {
				err = fmt.Errorf("process %d was terminated", first.Pid())
			}
			return err
		}
		if _, err := s.start("idle"); err != nil {
			return nil //nolint:nilerr // the refusal is what is wanted
		}
	}
	return unkept("more than two processes were started")
}

// twiceAbove crosses a threshold twice. The first program has ended before the second one starts.
func twiceAbove(ctx context.Context, s *stage) error {
	if err := s.job.SetNotificationLimits(jobobject.NotificationLimits{HighMemory: 32 << 20}); err != nil {
		return err
	}
	for range 2 {
		p, err := s.ready("hold", "64")
		if err != nil {
			return err
		}
		if err := s.message(ctx, jobobject.NotificationLimit); err != nil {
			return err
		}
		v, err := s.job.Violation()
		if err != nil {
			return err
		}
		if v.HighMemory == nil {
			return unkeptf("the report has no crossed threshold of memory: %+v", v)
		}
		_ = p.in.Close() // which it waits for
		if err := ends(ctx, p, 0); err != nil {
			return err
		}
	}
	return nil
}

// message waits for a message of a kind.
func (s *stage) message(ctx context.Context, kind jobobject.MessageKind) error {
	for {
		select {
		case m, ok := <-s.messages:
			if !ok {
				return errMessagesEnded
			}
			if m.Kind == kind {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("wait for message %v: not received within %v", kind, trialTime)
		}
	}
}

// burned returns the processor time that jobs use within burnTime.
func (s *stage) burned(ctx context.Context, jobs ...*jobobject.Job) (used []time.Duration, span time.Duration, err error) {
	read := func() ([]time.Duration, error) {
		var list []time.Duration
		for _, job := range jobs {
			a, err := job.Accounting()
			if err != nil {
				return nil, err
			}
			list = append(list, a.UserTime+a.KernelTime)
		}
		return list, nil
	}
	before, err := read()
	if err != nil {
		return nil, 0, err
	}
	began := s.Now()
	if err := s.Pause(ctx, burnTime); err != nil {
		return nil, 0, err
	}
	span = s.Now().Sub(began)
	used, err = read()
	for i := range used {
		used[i] -= before[i]
	}
	return used, span, err
}

// rateHolds measures a program without a limit first: on a busy machine no program reaches the limit.
func rateHolds(ctx context.Context, s *stage) error {
	free, err := s.newJob("", jobobject.Limits{})
	if err != nil {
		return err
	}
	without, err := s.share(ctx, free, 1)
	if err != nil {
		return err
	}
	if without < 0.3 {
		return missing{fmt.Errorf("an idle machine: a program without a limit gets %.1f %% of it", without*100)}
	}
	if err := free.Terminate(0); err != nil {
		return err
	}
	with, err := s.share(ctx, s.job, 2)
	s.note = fmt.Sprintf("%.1f %% of the machine under 20 %%, %.1f %% without", with*100, without*100)
	if err == nil && with > 0.22 {
		err = unkept(s.note)
	}
	return err
}

// share returns the part of the machine's processor time that a number of programs get in a job.
func (s *stage) share(ctx context.Context, job *jobobject.Job, programs int) (float64, error) {
	for range programs {
		if _, err := s.readyIn(job, "burn"); err != nil {
			return 0, err
		}
	}
	used, span, err := s.burned(ctx, job)
	if err != nil {
		return 0, err
	}
	return used[0].Seconds() / (span.Seconds() * float64(s.Processors)), nil
}

func weightsShare(ctx context.Context, s *stage) error {
	light, err := s.newJob("", jobobject.Limits{CPUWeight: 1})
	if err != nil {
		return err
	}
	for _, job := range []*jobobject.Job{s.job, light} {
		if _, err := s.readyIn(job, "burn"); err != nil {
			return err
		}
	}
	used, _, err := s.burned(ctx, s.job, light)
	if err != nil {
		return err
	}
	s.note = fmt.Sprintf("%v with weight 9, %v with weight 1", used[0].Round(time.Millisecond), used[1].Round(time.Millisecond))
	if used[0] < used[1]*3/2 {
		return unkept(s.note)
	}
	return nil
}
