package selftest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/jobobject"
)

// refused is the exit code of a workload that the kernel refused something.
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
	{name: "a program starts in its job", run: func(ctx context.Context, s *stage) error {
		code, err := s.code(ctx, "inside")
		if err == nil && code != 0 {
			err = errors.New("the program is in no job")
		}
		return err
	}},
	{name: "members of a job are listed, with or without the console host", settles: "U27", run: func(_ context.Context, s *stage) error {
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
	{name: "termination ends every process, and succeeds on an empty job", settles: "U16", run: func(ctx context.Context, s *stage) error {
		return s.allEnd(ctx, 77, func() error {
			if err := s.job.Terminate(77); err != nil {
				return err
			}
			return errors.Join(s.job.WaitEmpty(ctx), s.job.Terminate(78))
		})
	}},
	{name: "closing the last handle of a job ends its processes with exit code 0", settles: "U15", run: func(ctx context.Context, s *stage) error {
		return s.allEnd(ctx, 0, s.job.Close)
	}},
	{name: "a message is sent each time the job becomes empty", settles: "U14", run: everyZero},
	{name: "a console event reaches a program without a window", settles: "U23", run: func(ctx context.Context, s *stage) error {
		p, err := s.ready("event")
		if err != nil {
			return err
		}
		if err := p.Signal(jobobject.CtrlBreak); err != nil {
			return err
		}
		return ends(ctx, p, refused)
	}},
	{name: "no program leaves its job", settles: "U29", run: func(ctx context.Context, s *stage) error {
		code, err := s.code(ctx, "breakaway")
		if err == nil && code != refused {
			err = unkeptf("a process was started outside of the job, exit code %d", code)
		}
		return err
	}},
	{name: "a job name can be used once", settles: "U13", run: func(_ context.Context, s *stage) error {
		if _, err := s.newJob(s.name(), jobobject.Limits{}); err != nil {
			return err
		}
		if _, err := s.newJob(s.name(), jobobject.Limits{}); !errors.Is(err, jobobject.ErrExist) {
			return fmt.Errorf("create a second job with the name: got %v, want %w", err, jobobject.ErrExist) //nolint:errorlint // the wanted error is the class
		}
		return nil
	}},
}

// allEnd starts three processes and checks that end ends them all with a code.
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
					return errMessagesEnded
				}
				zero = m.Kind == jobobject.ActiveProcessZero
			case <-ctx.Done():
				return fmt.Errorf("wait for message %d of %d: not received within %v", round+1, rounds, trialTime)
			}
		}
	}
	return nil
}

// tokenTrials are about the rights of programs; each program reads its own token.
var tokenTrials = []trial{
	{name: "a restricted token reaches the program", run: func(ctx context.Context, s *stage) error {
		return s.as(ctx, token.Restriction{AllPrivileges: true, SIDs: []string{token.Administrators}}, "restricted")
	}},
	{name: "the integrity level of a token can be lowered", settles: "U60", run: func(ctx context.Context, s *stage) error {
		return s.as(ctx, token.Restriction{Integrity: "low"}, "integrity", "low")
	}},
	{name: "a service account needs no password, as LocalSystem", settles: "U25 U26", run: func(ctx context.Context, s *stage) error {
		return s.as(ctx, token.Restriction{User: `NT AUTHORITY\Local Service`}, "user", "S-1-5-19")
	}},
}

// as runs a workload that checks its token.
func (s *stage) as(ctx context.Context, r token.Restriction, workload ...string) error {
	p, err := s.startAs(r, workload...)
	if err != nil {
		return err
	}
	code, err := p.Wait(ctx)
	if err == nil && code != 0 {
		err = fmt.Errorf("the program has another token: exit code %d", code)
	}
	return err
}

// startAs starts a workload with a token. A token that this host, or this user, cannot make or use is a missing capability.
func (s *stage) startAs(r token.Restriction, workload ...string) (*process, error) {
	t, err := s.Token(&r)
	if err != nil {
		return nil, missing{err}
	}
	defer t.Close() //nolint:errcheck // it was only used to start
	s.token = t.Handle()
	defer func() { s.token = 0 }()
	p, err := s.start(workload...)
	if err != nil {
		return nil, missing{err} // the right to start a program as another user
	}
	return p, nil
}
