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
	quit    context.CancelCauseFunc // ends the carrying; set by Start
	done    chan struct{}           // closed when the reader was told the end

	reads   atomic.Uint64 // how often the program's stream had something
	waiting atomic.Bool   // for the program's stream, and not for the reader

	// cut is why the stream was given up, nil after its natural end. It may be
	// read once done is closed.
	cut error
}

func newOutput(name string, s *sink, lost *atomic.Uint64) *output {
	return &output{name: name, sink: s, lost: lost, done: make(chan struct{})}
}

// interrupt ends what run waits for; its ctx must have ended. Once the reader was told the end it does nothing.
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
		o.lose(n)
		counted = n
	}
	_ = o.sink.close() // a reader that is gone has no say
	close(o.done)
	if open {
		o.discardRest(*chunk, counted)
	}
	_ = o.src.Close() // reading is over
}

// carry hands the reader what comes until the stream ends or ctx does, and tells whether the stream is open still.
func (o *output) carry(ctx context.Context, chunk []byte) (open bool) {
	for ctx.Err() == nil {
		o.waiting.Store(true)
		n, err := o.read(chunk)
		o.waiting.Store(false)
		if n > 0 {
			o.reads.Add(1)
			o.lose(n - o.sink.write(ctx, chunk[:n]))
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && stillOpen(o.src):
		case errors.Is(err, io.EOF):
			return false
		case ctx.Err() == nil:
			o.cut = err
			return false
		}
	}
	o.cut = context.Cause(ctx)
	return true
}

func (o *output) read(chunk []byte) (int, error) {
	return fault.Do("read output", func() (int, error) { return o.src.Read(chunk) })
}

// discardRest reads the stream to its end. The first bytes of it are counted as lost already.
func (o *output) discardRest(chunk []byte, counted int) {
	resume(o.src)
	for {
		n, err := o.read(chunk)
		o.lose(n - counted)
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

// errHeldOpen is why a client was told the end of a stream that has not ended.
var errHeldOpen = errors.New("another program holds the stream open")

// leave tells the reader the end of the stream, whoever holds it open, and returns once that is done, or with ctx. What
// comes later is discarded.
func (o *output) leave(ctx context.Context) {
	o.quit(errHeldOpen)
	o.interrupt()
	select {
	case <-o.done:
	case <-ctx.Done():
	}
}

// heldOpen is how long a stream must have been quiet to be one that somebody just holds open.
const heldOpen = time.Second

// quiet returns true once nobody has written to the open stream for a while and all of it was delivered, and false when
// the stream or ctx has ended.
func (o *output) quiet(ctx context.Context) bool {
	look := time.NewTicker(heldOpen)
	defer look.Stop()
	for before := o.reads.Load(); ; {
		select {
		case <-o.done:
			return false
		case <-ctx.Done():
			return false
		case <-look.C:
		}
		now := o.reads.Load()
		if now == before && o.waiting.Load() {
			return true
		}
		before = now
	}
}

func (o *output) lose(n int) {
	if n > 0 {
		o.lost.Add(uint64(n))
	}
}

// release closes both sides of an output that was not started. What a console shows is read to its end.
func (o *output) release() error {
	err := o.sink.close()
	switch {
	case o.src == nil:
	case o.console:
		go readOut(o.src)
	default:
		err = errors.Join(err, ignoreClosed(o.src.Close()))
	}
	return err
}

// readOut reads what a console shows to its end, which comes when the console is closed.
func readOut(out io.ReadCloser) {
	_, _ = io.Copy(io.Discard, out)
	_ = out.Close() // reading is over
}

// discard makes an output without a reader for src.
func discard(src io.ReadCloser, lost *atomic.Uint64) *output {
	o := newOutput("console", newSink(nowhere{}, nil, 0), lost)
	o.use(src)
	return o
}

// nowhere takes bytes that nobody asked for.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
