package selftest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/siloshim/siloshim/jobobject"
)

// refused is the exit code of a workload that was refused what it asked for.
const refused = 9

// processTrials are about how programs start and end.
var processTrials = []trial{
	{name: "the exit code is the program's", run: func(ctx context.Context, s *stage) error {
		code, err := s.code(ctx, "exit", "77")
		if err == nil && code != 77 {
			err = fmt.Errorf("exit code %d, want 77", code)
		}
		return err
	}},
	{name: "a program is born in its job", settles: "U10", run: func(ctx context.Context, s *stage) error {
		code, err := s.code(ctx, "inside")
		if err == nil && code != 0 {
			err = errors.New("it found itself in no job")
		}
		return err
	}},
	{name: "members are listed, the console's host among them or not", settles: "U27", run: func(_ context.Context, s *stage) error {
		p, err := s.ready("idle")
		if err != nil {
			return err
		}
		pids, err := s.job.Pids()
		if err == nil && !slices.Contains(pids, p.Pid()) {
			err = fmt.Errorf("process %d is not among %v", p.Pid(), pids)
		}
		s.note = fmt.Sprintf("%d members for one program", len(pids))
		return err
	}},
	{name: "termination reaches every process, and an empty job takes it", settles: "U16", run: func(ctx context.Context, s *stage) error {
		return s.allEnd(ctx, 77, func() error {
			if err := s.job.Terminate(77); err != nil {
				return err
			}
			return errors.Join(s.job.WaitEmpty(ctx), s.job.Terminate(78))
		})
	}},
	{name: "processes end with the last handle of the job, with exit code 0", settles: "U15", run: func(ctx context.Context, s *stage) error {
		return s.allEnd(ctx, 0, s.job.Close)
	}},
	{name: "a message comes each time the job is empty", settles: "U14", run: everyZero},
	{name: "an event of the console reaches a program without a window", settles: "U23", run: func(ctx context.Context, s *stage) error {
		p, err := s.ready("event")
		if err != nil {
			return err
		}
		if err := p.Signal(jobobject.CtrlBreak); err != nil {
			return err
		}
		return ends(ctx, p, refused)
	}},
	{name: "no program leaves the job", settles: "U29", run: func(ctx context.Context, s *stage) error {
		code, err := s.code(ctx, "breakaway")
		if err == nil && code != refused {
			err = unkeptf("a process that was to leave was started, with %d", code)
		}
		return err
	}},
	{name: "a name of a job is taken once", settles: "U13", run: func(_ context.Context, s *stage) error {
		if _, err := s.newJob(s.name(), jobobject.Limits{}); err != nil {
			return err
		}
		if _, err := s.newJob(s.name(), jobobject.Limits{}); !errors.Is(err, jobobject.ErrExist) {
			return fmt.Errorf("a second job of the name: %w", errors.Join(err, errors.New("it is not said to exist")))
		}
		return nil
	}},
}

// allEnd starts three processes and wants end to end them all with a code.
func (s *stage) allEnd(ctx context.Context, code uint32, end func() error) error {
	for range 3 {
		if _, err := s.ready("idle"); err != nil {
			return err
		}
	}
	if err := end(); err != nil {
		return err
	}
	for _, p := range s.processes {
		if err := ends(ctx, p, code); err != nil {
			return err
		}
	}
	return nil
}

func everyZero(ctx context.Context, s *stage) error {
	const rounds = 10
	for round := range rounds {
		if _, err := s.code(ctx, "exit", "0"); err != nil {
			return err
		}
		for zero := false; !zero; {
			select {
			case m, ok := <-s.messages:
				if !ok {
					return errors.New("the messages have ended")
				}
				zero = m.Kind == jobobject.ActiveProcessZero
			case <-ctx.Done():
				return fmt.Errorf("no message after %d of %d", round, rounds)
			}
		}
	}
	return nil
}
