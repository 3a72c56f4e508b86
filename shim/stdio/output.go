package stdio

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/internal/fault"
)

// output carries what the program writes to its reader.
type output struct {
	// Immutable after Start.
	name    string
	client  bool          // the reader is a client that waits for the end, and no log
	console bool          // src is a console's
	src     io.ReadCloser // our end of the program's stream
	sink    *sink
	lost    *atomic.Uint64
	cancel  context.CancelCauseFunc // ends carry; set by Start
	done    chan struct{}           // closed when the reader has seen the end

	reads   atomic.Uint64 // reads of the program's stream that returned bytes
	waiting atomic.Bool   // for the program's stream, and not for the reader
	ending  atomic.Bool   // the reader sees the end once it has what the stream has

	// cause is why carry ended before the stream did, nil after the end of the
	// stream. It may be read once done is closed.
	cause error
}

func newOutput(name string, s *sink, lost *atomic.Uint64) *output {
	return &output{name: name, sink: s, lost: lost, done: make(chan struct{})}
}

// interrupt ends what run waits for; its ctx must have ended. Once the reader has seen the end it does nothing.
func (o *output) interrupt() {
	select {
	case <-o.done:
		return
	default:
	}
	if o.src != nil {
		interrupt(o.src)
	}
	o.sink.interrupt()
}

// use sets the program's side.
func (o *output) use(src io.ReadCloser) { o.src = src }

// run carries bytes until the stream ends or ctx does. A stream that goes on after that is read to its end: the programs
// that write to it run on, and the close of a console waits for its output to be read.
func (o *output) run(ctx context.Context) {
	chunk := getChunk()
	defer putChunk(chunk)
	open := o.carry(ctx, *chunk)
	counted := 0
	if n, err := pending(o.src); open && err == nil {
		o.addLost(n)
		counted = n
	}
	_ = o.sink.close() // the reader may be gone
	o.sink.ended()
	close(o.done)
	if open {
		o.discardRest(*chunk, counted)
	}
	_ = o.src.Close() // reading is over
}

// carry copies the stream to the reader until the stream or ctx ends, and returns whether the stream is still open.
func (o *output) carry(ctx context.Context, chunk []byte) (open bool) {
	rest := -1 // bytes to deliver before the end, once the reader is to see that
	for ctx.Err() == nil {
		o.waiting.Store(true)
		n, err := o.read(chunk)
		o.waiting.Store(false)
		if n > 0 {
			o.reads.Add(1)
			o.addLost(n - o.sink.write(ctx, chunk[:n]))
		}
		switch {
		case errors.Is(err, io.EOF) && !stillOpen(o.src):
			return false
		case o.ending.Load():
			if rest < 0 {
				rest, _ = pending(o.src) // 0 if that is unknown
			} else {
				rest -= n
			}
			if rest <= 0 {
				o.cause = errHeldOpen
				return true
			}
			resume(o.src)
		case err == nil, errors.Is(err, io.EOF):
		case ctx.Err() == nil:
			o.cause = err
			return false
		}
	}
	o.cause = context.Cause(ctx)
	return true
}

func (o *output) read(chunk []byte) (int, error) {
	return fault.Do("read output", func() (int, error) { return o.src.Read(chunk) })
}

// discardRest reads the stream to its end. The first counted bytes have been added to the lost ones.
func (o *output) discardRest(chunk []byte, counted int) {
	resume(o.src)
	for {
		n, err := o.read(chunk)
		o.addLost(n - counted)
		counted = max(0, counted-n)
		switch {
		case err == nil, errors.Is(err, io.EOF) && stillOpen(o.src):
		case errors.Is(err, os.ErrDeadlineExceeded):
			resume(o.src) // an interrupt that came late
		default:
			return
		}
	}
}

// errHeldOpen is the cause where a client has seen the end of a stream that has not ended.
var errHeldOpen = errors.New("another process holds the stream open")

// endReader shows the reader the end of the stream although another process holds it open, after the bytes that the stream
// has. On a busy machine the goroutine that reads may not have run since the program has ended. It returns once that is
// done, or with ctx. Later output is discarded.
func (o *output) endReader(ctx context.Context) {
	o.ending.Store(true)
	select {
	case <-o.done:
		return
	default:
		interrupt(o.src)
	}
	select {
	case <-o.done:
	case <-ctx.Done(): // the reader takes nothing
		o.cancel(errHeldOpen)
		o.interrupt()
	}
}

// quietTime is how long a stream must have been quiet to count as held open and unused.
const quietTime = time.Second

// quiet returns true once the open stream had no bytes for quietTime and all of it was delivered, and false when the
// stream or ctx has ended.
func (o *output) quiet(ctx context.Context) bool {
	tick := time.NewTicker(quietTime)
	defer tick.Stop()
	for before := o.reads.Load(); ; {
		select {
		case <-o.done:
			return false
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		now := o.reads.Load()
		if now == before && o.waiting.Load() {
			return true
		}
		before = now
	}
}

func (o *output) addLost(n int) {
	if n > 0 {
		o.lost.Add(uint64(n))
	}
}

// release closes both sides of an output that was not started. The output of a console is read to its end.
func (o *output) release() error {
	err := o.sink.close()
	switch {
	case o.src == nil:
	case o.console:
		go discardConsole(o.src)
	default:
		err = errors.Join(err, ignoreClosed(o.src.Close()))
	}
	return err
}

// discardConsole reads the output of a console to its end, which comes when the console is closed.
func discardConsole(out io.ReadCloser) {
	_, _ = io.Copy(io.Discard, out)
	_ = out.Close() // reading is over
}

// discard makes an output without a reader for src.
func discard(src io.ReadCloser, lost *atomic.Uint64) *output {
	o := newOutput("console", newSink(nullWriter{}, nil, 0), lost)
	o.use(src)
	return o
}

// nullWriter discards output that no client requested.
type nullWriter struct{}

func (nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (nullWriter) Close() error                { return nil }
