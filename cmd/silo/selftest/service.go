package selftest

import (
	"context"
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/jobobject"
)

// serviceTrials are about silos and the Host Compute Service.
var serviceTrials = []trial{
	{name: "a plain job is no silo", run: func(_ context.Context, s *stage) error {
		_, err := s.job.Silo()
		if errors.Is(err, jobobject.ErrNotSilo) {
			return nil
		}
		if err == nil {
			err = errors.New("it is said to be one")
		}
		return err
	}},
	{name: "a job becomes a silo", run: func(_ context.Context, s *stage) error {
		if err := s.job.PromoteToSilo(); err != nil {
			return err
		}
		silo, err := s.job.Silo()
		s.note = fmt.Sprintf("silo %d", silo.ID)
		return err
	}},
	{name: "the Host Compute Service answers", run: func(ctx context.Context, s *stage) error {
		list, err := s.Service.Enumerate(ctx, nil)
		if err != nil {
			return lack{err}
		}
		s.note = fmt.Sprintf("%d compute systems", len(list))
		return nil
	}},
}
