package selftest

import (
	"context"
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/cmd/silo/token"
)

// rightTrials are about what a program may do; the program reads its own token.
var rightTrials = []trial{
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

// as runs a workload with a token, which it is to find true. A token that this host, or this user, cannot make is
// lacking.
func (s *stage) as(ctx context.Context, r token.Restriction, workload ...string) error {
	t, err := token.New(&r)
	if err != nil {
		return lack{err}
	}
	defer t.Close() //nolint:errcheck // it was only used to start
	s.token = t.Handle()
	code, err := s.code(ctx, workload...)
	switch {
	case err != nil:
		return lack{err} // the right to start a program as somebody else
	case code != 0:
		return fmt.Errorf("%w: exit code %d", errors.New("the program finds another token"), code)
	}
	return nil
}
