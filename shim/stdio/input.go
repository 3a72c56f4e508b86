package stdio

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/sleep"
)

// closedTimeout ends the input of a client whose process runs and has closed its pipe: ctr run does so, and never calls
// CloseIO.
const closedTimeout = 2 * time.Second

// input carries the client's bytes to the program's stdin. Three things end it:
// finish, which is containerd's CloseIO, a program that closes its stdin, and a
// client whose pipe no longer exists, by the timeouts above. A client that hangs
// up while its pipe exists has detached: the next one is dialled there.
type input struct {
	// Immutable after Start.
	dial     func(context.Context) (net.Conn, error) // nil when a console has no client
	program  io.WriteCloser                          // our end of the program's stdin
	keep     bool                                    // a console: not closed before the relay is
	gone     time.Duration                           // defaultRetry, unless configured
	identify func(net.Conn) server
	log      *log.Entry // may be nil

	// server has the process that served the last client. Owned by Open, then by run, then by close.
	server server

	finished context.Context
	cancel   context.CancelFunc // ends finished

	// mu guards the field below: run replaces it, finish and interrupt end its read.
	mu     sync.Mutex
	client net.Conn // nil while no client is attached
}

// server is the process that serves a client's pipe. One that has closed its
// pipe and runs on did so on purpose; one that has ended may be started again.
type server interface {
	running() bool
	close()
}

// errProgram marks a failure of the program's side.
var errProgram = errors.New("the program does not read its stdin")

func newInput(client net.Conn, dial func(context.Context) (net.Conn, error)) *input {
	in := &input{client: client, dial: dial, gone: defaultRetry, identify: serverOf}
	in.finished, in.cancel = context.WithCancel(context.Background())
	if client != nil {
		in.setServer(client)
	}
	return in
}

// ready reports whether both sides are set.
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

// finish makes run deliver what the client has sent by now and end.
func (in *input) finish() {
	in.cancel()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.client != nil {
		_ = in.client.SetReadDeadline(past) // An error means that run has ended already.
	}
}

// run carries bytes until finish, the end of ctx, or the program closes its stdin.
func (in *input) run(ctx context.Context) {
	defer in.closeBoth()
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

// copySent carries only the bytes in the client's pipe. It queries the pipe for
// their number, so it never waits for more and no timer decides what "sent by
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
			return errors.Join(errProgram, werr)
		}
	}
	return err
}

// redial dials until a client accepts. It returns nil after finish or the end of
// ctx, or when the pipe has been missing for as long as ends the input. Finish
// ends the pause but not a dial: a client that accepts that is read.
func (in *input) redial(ctx context.Context) net.Conn {
	wanted, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(in.finished, cancel)()
	var missing time.Time // since when no pipe has that name; zero while there is one
	for pause := firstPause; sleep.For(wanted, pause) == nil; pause = min(2*pause, longPause) {
		bounded, done := context.WithTimeout(ctx, dialTimeout)
		client, err := in.dial(bounded)
		done()
		switch {
		case err == nil && in.attach(ctx, client):
			in.setServer(client)
			in.logReturn(missing)
			return client
		case !errors.Is(err, fs.ErrNotExist): // busy: its server accepts no client now
			missing = time.Time{}
		case missing.IsZero():
			missing = time.Now()
		case in.ended(time.Since(missing)):
			return nil
		}
	}
	return nil
}

// logReturn logs that a pipe was missing and exists again.
func (in *input) logReturn(missing time.Time) {
	if in.log != nil && !missing.IsZero() {
		in.log.Infof("the pipe of stdin exists again after %s", time.Since(missing).Round(time.Millisecond))
	}
}

// ended reports whether the client has ended the input, as its pipe has been
// missing for that time. A console has no end of input: its programs would be
// ended.
func (in *input) ended(missing time.Duration) bool {
	timeout := in.gone
	if in.server != nil && in.server.running() {
		timeout = min(timeout, closedTimeout)
	}
	if in.keep || missing < timeout {
		return false
	}
	if in.log != nil {
		in.log.Infof("close stdin: its pipe did not exist for %s", timeout)
	}
	return true
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

// detach closes the client, if there is one.
func (in *input) detach() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.client != nil {
		_ = in.client.Close() // It was only read.
		in.client = nil
	}
}

// closeBoth closes both sides, and a console's client alone.
func (in *input) closeBoth() {
	in.detach()
	if !in.keep {
		_ = in.program.Close()
	}
}

// close releases what run has not. It must not run beside run.
func (in *input) close() error {
	in.cancel()
	in.detach()
	in.closeServer()
	if in.program == nil {
		return nil
	}
	return ignoreClosed(in.program.Close())
}

// setServer finds out which process serves client.
func (in *input) setServer(client net.Conn) {
	in.closeServer()
	in.server = in.identify(client)
}

func (in *input) closeServer() {
	if in.server != nil {
		in.server.close()
		in.server = nil
	}
}
