package hcs

import (
	"context"
	"errors"
	"io"

	"github.com/siloshim/siloshim/schema"
)

// Stdin is our end of the process's standard input, nil if it has none. The process
// sees the end of its input by [Process.CloseStdin], not by a close of Stdin.
func (p *Process) Stdin() io.WriteCloser { return p.info.Stdin }

// Stdout is our end of the standard output, nil if it has none. It ends when no
// process has it open any more.
func (p *Process) Stdout() io.ReadCloser { return p.info.Stdout }

// Stderr is as [Process.Stdout]; a process with a console has none.
func (p *Process) Stderr() io.ReadCloser { return p.info.Stderr }

// CloseStdin makes the process see the end of its standard input, and closes our
// end. A process that has ended or has no standard input is no error.
func (p *Process) CloseStdin(ctx context.Context) error {
	if p.info.Stdin == nil {
		return nil
	}
	err := p.send(ctx, "close stdin of process in system", CallModifyProcess, schema.ProcessModifyRequest{
		Operation: schema.OperationCloseHandle, CloseHandle: &schema.CloseHandle{Handle: schema.StdIn},
	})
	if errors.Is(err, ErrExited) {
		err = nil
	}
	return errors.Join(err, closeStream(p.info.Stdin))
}

func (p *Process) closeStreams() error {
	var err error
	for _, s := range []io.Closer{p.info.Stdin, p.info.Stdout, p.info.Stderr} {
		err = errors.Join(err, closeStream(s))
	}
	return err
}

// closeStream closes s if there is one. A second time is no error.
func closeStream(s io.Closer) error {
	if s == nil {
		return nil
	}
	if err := s.Close(); !errors.Is(err, ErrClosed) {
		return err
	}
	return nil
}
