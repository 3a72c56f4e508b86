package selftest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
)

// statisticTrials compare the kernel's statistics with known workloads.
var statisticTrials = []trial{
	{name: "committed memory of a job is that of its program, and the peak stays", run: func(ctx context.Context, s *stage) error {
		p, err := s.ready("hold", "64")
		if err != nil {
			return err
		}
		during, err := s.job.Memory()
		if err != nil {
			return err
		}
		_ = p.in.Close() // which it waits for
		if err := ends(ctx, p, 0); err != nil {
			return err
		}
		after, err := s.job.Memory()
		s.note = fmt.Sprintf("%d MiB with 64 MiB allocated, peak %d MiB", during.Commit>>20, after.PeakCommit>>20)
		if err == nil && (during.Commit < 64<<20 || after.PeakCommit < during.Commit) {
			err = unkept(s.note)
		}
		return err
	}},
	{name: "the private working set is that of its program", run: func(_ context.Context, s *stage) error {
		if _, err := s.ready("hold", "64"); err != nil {
			return err
		}
		n, err := s.job.PrivateWorkingSet()
		s.note = fmt.Sprintf("%d MiB with 64 MiB in use", n>>20)
		if err == nil && (n < 64<<20 || n > 256<<20) {
			err = unkept(s.note)
		}
		return err
	}},
	{name: "storage traffic is counted", run: func(ctx context.Context, s *stage) error {
		before, err := s.job.Storage()
		if err != nil {
			return err
		}
		path := filepath.Join(os.TempDir(), fmt.Sprintf("silo-selftest-%d", os.Getpid()))
		defer os.Remove(path) //nolint:errcheck // a file of temporary ones
		if code, err := s.code(ctx, "write", path, "10"); err != nil || code != 0 {
			return fmt.Errorf("run workload write: exit code %d, %w", code, err)
		}
		after, err := s.job.Storage()
		s.note = fmt.Sprintf("%d KiB of 10240 written", (after.WriteBytes-before.WriteBytes)>>10)
		if err == nil && after.WriteBytes-before.WriteBytes < 10<<20 {
			err = unkept(s.note)
		}
		return err
	}},
	{name: "page faults and processes of a job are counted", settles: "U17", run: func(ctx context.Context, s *stage) error {
		if _, err := s.code(ctx, "exit", "0"); err != nil {
			return err
		}
		a, err := s.job.Accounting()
		s.note = fmt.Sprintf("%d processes, %d page faults", a.Total, a.PageFaults)
		if err == nil && (a.Total == 0 || a.PageFaults == 0) {
			err = unkept(s.note)
		}
		return err
	}},
	{name: "processor time of a job is that of its program", run: func(ctx context.Context, s *stage) error {
		if _, err := s.ready("burn"); err != nil {
			return err
		}
		used, span, err := s.burned(ctx, s.job)
		if err != nil {
			return err
		}
		s.note = fmt.Sprintf("%v in %v", used[0].Round(time.Millisecond), span.Round(time.Millisecond))
		if used[0] <= 0 || used[0] > span*time.Duration(s.Processors)*11/10 {
			err = unkept(s.note)
		}
		return err
	}},
	{name: "jobs can be found by their name in the kernel", settles: "U58", run: func(_ context.Context, s *stage) error {
		if _, err := s.newJob(s.name(), jobobject.Limits{}); err != nil {
			return err
		}
		list, err := s.Node.Containers()
		if err != nil {
			return missing{err}
		}
		if !slices.ContainsFunc(list, func(c node.Container) bool { return c.Job == s.name() }) {
			return fmt.Errorf("job %s is not among the %d containers listed", s.name(), len(list))
		}
		return nil
	}},
}

// name returns the name of the one job of the selftest that has one.
func (*stage) name() string { return node.JobName(node.Own, "selftest") }
