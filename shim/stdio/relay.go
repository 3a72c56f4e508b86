package stdio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/logfield"
)

// defaultRetry is how long a reader may stay away before its output is discarded, and the input of a client whose process has
// ended stays open. It is longer than containerd takes to restart and make CRI's pipes again, also on a busy machine.
const defaultRetry = time.Minute

// Config names the ends of the streams of one process.
type Config struct {
	// Stdin, Stdout and Stderr are the fields of containerd's Create and Exec
	// requests: a pipe path, npipe:// or, for output, file:// and binary://. Empty
	// means that the stream is not connected.
	Stdin, Stdout, Stderr string

	// ID and Namespace are the container's, for a logging program.
	ID, Namespace string

	// Terminal says that the program has a console, whose ends [Relay.Use] brings
	// in place of those of [Relay.Pipes].
	Terminal bool

	// Retry is how long a reader that is gone is called again, and how long a
	// client of stdin whose process has ended may take to return. 0 means 1 min.
	Retry time.Duration

	// Log reports when a reader goes, returns and is given up. It may be nil.
	Log *log.Entry
}

// Relay carries the streams of one process. Its life is [Open], then either
// [Relay.Pipes] or [Relay.Use], then [Relay.Start] once the program
// exists, [Relay.Drain] once it has exited, and [Relay.Close] in every case.
//
// All methods may be called at any time from any goroutine.
type Relay struct {
	// Immutable after Open, and Pipes or Use.
	input   *input    // nil without stdin
	output  []*output // stdout, stderr: those that are connected
	loggers []*logger // the programs that read them
	ctx     context.Context
	cancel  context.CancelCauseFunc
	lost    atomic.Uint64

	terminal bool
	log      *log.Entry // may be nil

	// running counts the goroutines of the input; Close waits for them.
	running sync.WaitGroup

	// mu guards the fields below.
	mu      sync.Mutex
	child   [3]*os.File // the program's ends, until Start
	started bool
	closed  bool
}

// Start begins to carry bytes. It is called once the program was created and
// closes the program's ends here, so that the program's own exit is what ends
// its output. A second call does nothing.
func (r *Relay) Start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started || r.closed {
		return
	}
	r.started = true
	r.closeChildLocked()
	if r.input != nil && r.input.ready() {
		r.running.Go(func() { r.input.run(r.ctx) })
	}
	for _, o := range r.output {
		if o.src == nil { // A terminal whose console never came.
			close(o.done)
			continue
		}
		ctx, cancel := context.WithCancelCause(r.ctx)
		o.cancel = cancel
		go o.run(ctx) // Close waits until the reader has seen the end; it ends with the stream
	}
}

// stop ends all streams without waiting for them.
func (r *Relay) stop(cause error) {
	r.mu.Lock()
	in, outputs := r.input, r.output
	if !r.started {
		outputs = nil // the output of a console is read on
	}
	r.mu.Unlock()
	r.cancel(cause)
	if in != nil {
		in.interrupt()
	}
	for _, o := range outputs {
		o.interrupt()
	}
}

// CloseStdin ends the program's stdin after everything that the client had
// sent by now was delivered, whether or not the client has closed its end. It
// does not wait for that, and more calls do nothing. The input of a pseudo
// console is not closed; what the client sends later is not read, though.
//
// Besides, it ends when the client's pipe no longer exists: two seconds after the
// client closed it, or [Config.Retry] after the client's process has ended. A client
// that closes its end while the pipe exists has detached, and the next one is called
// at the same address. See containerd's [CloseIO].
//
// [CloseIO]: https://pkg.go.dev/github.com/containerd/containerd/api/runtime/task/v3#CloseIORequest
func (r *Relay) CloseStdin() {
	r.mu.Lock()
	in := r.input
	r.mu.Unlock()
	if in != nil {
		in.finish()
	}
}

// Drain waits until the program's output was read to its end and written, and
// its readers have seen the end. It is called after the program has
// exited. A process that inherited its stdout can keep that open for longer:
// once the stream was quiet for a second or two, Drain returns held. A client has
// seen the end by then, since it waits for that; later output is read and
// discarded. A file or a logging program receives it until [Relay.Close].
//
// When ctx ends first, the rest of the output is counted in [Relay.Lost], the
// readers see the end, and the error names the streams and wraps the cause of ctx. Without a started program
// it returns nil at once.
func (r *Relay) Drain(ctx context.Context) (held bool, err error) {
	r.mu.Lock()
	started, outputs := r.started, r.output
	r.mu.Unlock()
	if !started {
		return false, nil
	}
	var errs []error
	for _, o := range outputs {
		if o.quiet(ctx) {
			held = true
			if o.client {
				r.endClient(ctx, o)
			}
			continue
		}
		if ctx.Err() != nil {
			r.stop(context.Cause(ctx))
			<-o.done
		}
		switch {
		case errors.Is(o.cause, errHeldOpen): // an earlier Drain has met that
			held = true
		case o.cause != nil:
			errs = append(errs, fmt.Errorf("drain %s: %w", o.name, o.cause))
		}
	}
	return held, errors.Join(errs...)
}

// endClient shows the client the end of a stream that another process holds open.
func (r *Relay) endClient(ctx context.Context, o *output) {
	o.endReader(ctx)
	if r.log != nil {
		r.log.WithField(logfield.Stream, o.name).Info("another process holds the stream open: its client has seen the end, later output is discarded")
	}
}

// Lost returns how many bytes of output were discarded: those that came after
// [Config.Retry] while a reader was gone, and those that came after the reader
// has seen the end.
func (r *Relay) Lost() uint64 { return r.lost.Load() }

// Close ends all streams at once and releases everything; output that was not
// drained is counted as lost, and the log has how much that was. When it
// returns, all readers have seen the end, and logging programs have ended: they
// get 10 s for it. An output that programs hold open is read and discarded until
// they close it, so that they run on; nothing else of the relay is left. More
// calls return nil.
func (r *Relay) Close() error {
	r.mu.Lock()
	first, started := !r.closed, r.started
	r.closed = true
	r.closeChildLocked()
	r.mu.Unlock()

	r.stop(os.ErrClosed)
	r.running.Wait()
	for _, o := range r.output {
		if started {
			<-o.done
		}
	}
	if !first {
		return nil
	}
	var errs []error
	if r.input != nil {
		errs = append(errs, r.input.close())
	}
	for _, o := range r.output {
		if !started {
			errs = append(errs, o.release())
		}
	}
	for _, l := range r.loggers {
		errs = append(errs, l.wait(loggerEnd))
	}
	if lost := r.Lost(); lost > 0 && r.log != nil {
		r.log.WithField(logfield.LostBytes, lost).Warn("output was discarded: its reader was gone")
	}
	return errors.Join(errs...)
}

// closeChildLocked closes the program's ends. r.mu must be held.
func (r *Relay) closeChildLocked() {
	closeAll(r.child[:]...)
	r.child = [3]*os.File{}
}

// closeAll closes the files that are there. Nothing was buffered for them in
// this process, so there is no error to learn from.
func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
