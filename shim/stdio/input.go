package stdio

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/siloshim/siloshim/internal/fault"
)

// input carries the client's bytes to the program's stdin. A client that hangs
// up has only detached: the next one is called at the same address. Finish
// alone, containerd's CloseIO, ends the program's stdin.
type input struct {
	// Immutable after Start.
	dial    func(context.Context) (net.Conn, error) // nil when a console has nobody to type
	program io.WriteCloser                          // our end of the program's stdin
	keep    bool                                    // a console: not closed before the relay is

	finished context.Context
	cancel   context.CancelFunc // ends finished

	// mu guards the field below: run replaces it, finish and interrupt end its read.
	mu     sync.Mutex
	client net.Conn // nil while nobody is attached
}

// errProgram marks a failure of the program's side.
var errProgram = errors.New("the program reads no more")

func newInput(client net.Conn, dial func(context.Context) (net.Conn, error)) *input {
	in := &input{client: client, dial: dial}
	in.finished, in.cancel = context.WithCancel(context.Background())
	return in
}

// ready says whether there are two sides to carry between.
func (in *input) ready() bool { return in.dial != nil && in.program != nil }

// use sets the program's side.
func (in *input) use(program io.WriteCloser, keep bool) {
	in.program, in.keep = program, keep
}

// interrupt ends what run waits for; its ctx must have ended.
func (in *input) interrupt() {
	if !in.ready() {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.client != nil {
		interrupt(in.client)
	}
	interrupt(in.program)
}

// finish asks run to deliver what the client has sent by now and end.
func (in *input) finish() {
	in.cancel()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.client != nil {
		_ = in.client.SetReadDeadline(past) // An error means that run has ended already.
	}
}

// run carries bytes until finish, the end of ctx, or the program reads no more.
func (in *input) run(ctx context.Context) {
	defer in.hangUp()
	chunk := getChunk()
	defer putChunk(chunk)
	for client := in.client; client != nil; client = in.redial(ctx) {
		err := in.copyAll(client, *chunk)
		switch {
		case ctx.Err() != nil, errors.Is(err, errProgram):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			in.copySent(ctx, client, *chunk)
			return
		}
		in.detach()
	}
}

// copyAll carries bytes until reading or writing fails.
func (in *input) copyAll(client net.Conn, chunk []byte) error {
	for {
		if err := in.copyChunk(client, chunk); err != nil {
			return err
		}
	}
}

// copySent carries only what waits in the client's pipe. It asks the pipe how
// much that is, so it never waits for more and no timer decides what "sent by
// now" means.
func (in *input) copySent(ctx context.Context, client net.Conn, chunk []byte) {
	if client.SetReadDeadline(time.Time{}) != nil {
		return
	}
	for ctx.Err() == nil {
		if n, err := pending(client); n == 0 || err != nil {
			return
		}
		if in.copyChunk(client, chunk) != nil {
			return
		}
	}
}

// copyChunk carries one read's worth.
func (in *input) copyChunk(client net.Conn, chunk []byte) error {
	n, err := fault.Do("read input", func() (int, error) { return client.Read(chunk) })
	if n > 0 {
		_, werr := fault.Do("write input", func() (int, error) { return in.program.Write(chunk[:n]) })
		if werr != nil {
			return errors.Join(errProgram, werr) // So do we, and the client learns.
		}
	}
	return err
}

// redial calls for a client until one answers; nil when none is wanted any more.
// Finish ends the pause but not a call: whoever answers that has been heard.
func (in *input) redial(ctx context.Context) net.Conn {
	wanted, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(in.finished, cancel)()
	for pause := firstPause; wait(wanted, pause); pause = min(2*pause, longPause) {
		bounded, done := context.WithTimeout(ctx, dialBound)
		client, err := in.dial(bounded)
		done()
		if err == nil && in.attach(ctx, client) {
			return client
		}
	}
	return nil
}

// attach makes client the one that is read, unless ctx has ended.
func (in *input) attach(ctx context.Context, client net.Conn) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if ctx.Err() != nil { // interrupt has run and will not come again.
		_ = client.Close()
		return false
	}
	in.client = client
	if in.finished.Err() != nil { // finish met no client.
		_ = client.SetReadDeadline(past)
	}
	return true
}

// detach lets go of the client, if there is one.
func (in *input) detach() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.client != nil {
		_ = in.client.Close() // It was only read.
		in.client = nil
	}
}

// hangUp closes both sides, but for a console's.
func (in *input) hangUp() {
	in.detach()
	if !in.keep {
		_ = in.program.Close()
	}
}

// close releases what run has not. It must not run beside run.
func (in *input) close() error {
	in.cancel()
	in.detach()
	if in.program == nil {
		return nil
	}
	return ignoreClosed(in.program.Close())
}
