package selftest

import (
	"context"
	"fmt"

	"github.com/siloshim/siloshim/cmd/silo/token"
)

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

// as runs a workload that checks its token. A token that this host, or this user, cannot make is a missing capability.
func (s *stage) as(ctx context.Context, r token.Restriction, workload ...string) error {
	t, err := token.New(&r)
	if err != nil {
		return missing{err}
	}
	defer t.Close() //nolint:errcheck // it was only used to start
	s.token = t.Handle()
	code, err := s.code(ctx, workload...)
	switch {
	case err != nil:
		return missing{err} // the right to start a program as another user
	case code != 0:
		return fmt.Errorf("the program has another token: exit code %d", code)
	}
	return nil
}
