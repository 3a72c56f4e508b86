package stdio

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// input carries the client's bytes to the program's stdin.
type input struct {
	// Immutable after Start.
	client  net.Conn       // nil when a console has nobody to type
	program io.WriteCloser // our end of the program's stdin
	keep    bool           // a console: not closed before the relay is

	once sync.Once // guards finish
}

// ready says whether there are two sides to carry between.
func (in *input) ready() bool { return in.client != nil && in.program != nil }

// interrupt ends what run waits for.
func (in *input) interrupt() {
	if in.ready() {
		interrupt(in.client)
		interrupt(in.program)
	}
}

// use sets the program's side.
func (in *input) use(program io.WriteCloser, keep bool) {
	in.program, in.keep = program, keep
}

// finish asks run to deliver what the client has sent by now and end.
func (in *input) finish() {
	in.once.Do(func() {
		if in.client != nil {
			// An error means that run has ended already.
			_ = in.client.SetReadDeadline(past)
		}
	})
}

// run carries bytes until the client's end, finish, or the end of ctx.
func (in *input) run(ctx context.Context) {
	defer in.hangUp()
	chunk := getChunk()
	defer putChunk(chunk)

	err := in.copyAll(*chunk)
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
		in.copySent(ctx, *chunk)
	}
}

// copyAll carries bytes until reading or writing fails.
func (in *input) copyAll(chunk []byte) error {
	for {
		if err := in.copyChunk(chunk); err != nil {
			return err
		}
	}
}

// copySent carries only what waits in the client's pipe. It asks the pipe how
// much that is, so it never waits for more and no timer decides what "sent by
// now" means.
func (in *input) copySent(ctx context.Context, chunk []byte) {
	if in.client.SetReadDeadline(time.Time{}) != nil {
		return
	}
	for ctx.Err() == nil {
		if n, err := pending(in.client); n == 0 || err != nil {
			return
		}
		if in.copyChunk(chunk) != nil {
			return
		}
	}
}

// copyChunk carries one read's worth.
func (in *input) copyChunk(chunk []byte) error {
	n, err := in.client.Read(chunk)
	if n > 0 {
		if _, werr := in.program.Write(chunk[:n]); werr != nil {
			return werr // The program reads no more: so do we, and the client learns.
		}
	}
	return err
}

// hangUp closes both sides, but for a console's.
func (in *input) hangUp() {
	_ = in.client.Close()
	if !in.keep {
		_ = in.program.Close()
	}
}

// close releases what run has not. It must not run beside run.
func (in *input) close() error {
	var errs []error
	if in.client != nil {
		errs = append(errs, ignoreClosed(in.client.Close()))
	}
	if in.program != nil {
		errs = append(errs, ignoreClosed(in.program.Close()))
	}
	return errors.Join(errs...)
}
