package selftest

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/jobobject"
)

// handleTrials are about handles of programs, and about who may open an object or take its name.
var handleTrials = []trial{
	{name: "a program inherits three handles", settles: "U20", run: func(ctx context.Context, s *stage) error {
		count, err := s.code(ctx, "handles")
		if err == nil && count != 3 {
			err = unkeptf("%d handles were inherited", count)
		}
		return err
	}},
	{name: "the memory of a process that has ended is zero", settles: "U22", run: func(ctx context.Context, s *stage) error {
		p, err := s.ready("hold", "16")
		if err != nil {
			return err
		}
		member, err := s.job.Member(p.Pid())
		if err != nil {
			return err
		}
		defer member.Close() //nolint:errcheck // it was only queried
		during, err := member.Memory()
		if err != nil {
			return err
		}
		_ = p.in.Close() // which it waits for
		if err := ends(ctx, p, 0); err != nil {
			return err
		}
		after, err := member.Memory()
		s.note = fmt.Sprintf("commit %d KiB before, %d KiB after; working set %d KiB after", during.Commit>>10, after.Commit>>10, after.WorkingSet>>10)
		if err == nil && (during.Commit == 0 || after.Commit != 0 || after.WorkingSet != 0) {
			err = unkept(s.note)
		}
		return err
	}},
	{name: "a pipe name that is in use is refused", settles: "U31", run: func(_ context.Context, s *stage) error {
		first, err := s.Listen("silo-selftest")
		if err != nil {
			return err
		}
		second, err := s.Listen("silo-selftest")
		if err == nil {
			return errors.Join(unkept("a second server was accepted"), second.Close(), first.Close())
		}
		return first.Close()
	}},
	{name: "a plain user cannot open a job of the host", settles: "U13", run: func(ctx context.Context, s *stage) error {
		if _, err := s.newJob(s.name(), jobobject.Limits{}); err != nil {
			return err
		}
		return s.asPlainUser(ctx, refused, "open", s.name())
	}},
	{name: "a job that a plain user has made is not taken for that of a container", settles: "U13", run: func(ctx context.Context, s *stage) error {
		p, err := s.startAs(plainUser, "create", s.name())
		if err != nil {
			return err
		}
		if line, err := p.out.ReadString('\n'); err != nil {
			return fmt.Errorf("start workload create: %w, output %q", err, line)
		}
		_, err = s.newJob(s.name(), jobobject.Limits{})
		switch {
		case err == nil:
			return errors.New("the job was taken")
		case !errors.Is(err, jobobject.ErrExist) && !errors.Is(err, jobobject.ErrPermission):
			return err
		}
		_ = p.in.Close() // which it waits for
		return ends(ctx, p, 0)
	}},
	{name: "a plain user cannot open a pipe of the shim", run: func(ctx context.Context, s *stage) error {
		l, err := s.Listen("silo-selftest")
		if err != nil {
			return err
		}
		go acceptAll(l) // ends with the listener
		return errors.Join(s.asPlainUser(ctx, refused, "dial", l.Addr().String()), l.Close())
	}},
}

// acceptAll accepts and closes connections until the listener is closed.
func acceptAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = c.Close() // nothing was written to it
	}
}

// plainUser is an account without a password that is no administrator.
var plainUser = token.Restriction{User: `NT AUTHORITY\Local Service`}

// asPlainUser runs a workload as a plain user. Exit code 0 is a call that succeeded.
func (s *stage) asPlainUser(ctx context.Context, want uint32, workload ...string) error {
	p, err := s.startAs(plainUser, workload...)
	if err != nil {
		return err
	}
	code, err := p.Wait(ctx)
	switch {
	case err != nil:
		return err
	case code == 0:
		return unkept("it succeeded")
	case code != want:
		return fmt.Errorf("exit code %d, want %d", code, want)
	}
	return nil
}
