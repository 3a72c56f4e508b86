package stdio

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/internal/fault"
)

// output carries what the program writes to its reader.
type output struct {
	// Immutable after Start.
	name string
	src  io.ReadCloser // our end of the program's stream
	sink *sink
	lost *atomic.Uint64
	done chan struct{} // closed when run has ended

	reads   atomic.Uint64 // how often the program's stream had something
	waiting atomic.Bool   // for the program's stream, and not for the reader

	// cut is why the stream was given up, nil after its natural end. It may be
	// read once done is closed.
	cut error
}

func newOutput(name string, s *sink, lost *atomic.Uint64) *output {
	return &output{name: name, sink: s, lost: lost, done: make(chan struct{})}
}

// interrupt ends what run waits for; ctx must have ended.
func (o *output) interrupt() {
	if o.src != nil {
		interrupt(o.src)
	}
	o.sink.interrupt()
}

// use sets the program's side.
func (o *output) use(src io.ReadCloser) { o.src = src }

// run carries bytes until the stream ends or ctx does.
func (o *output) run(ctx context.Context) {
	defer close(o.done)
	defer o.close() //nolint:errcheck // Reading is over, and a reader that is gone has no say.
	chunk := getChunk()
	defer putChunk(chunk)

	for ctx.Err() == nil {
		o.waiting.Store(true)
		n, err := fault.Do("read output", func() (int, error) { return o.src.Read(*chunk) })
		o.waiting.Store(false)
		if n > 0 {
			o.reads.Add(1)
			o.lose(n - o.sink.write(ctx, (*chunk)[:n]))
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && stillOpen(o.src):
		case errors.Is(err, io.EOF):
			return
		case ctx.Err() == nil:
			o.cut = err
			return
		}
	}
	o.cut = context.Cause(ctx)
	if n, err := pending(o.src); err == nil {
		o.lose(n)
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

// close releases both sides. It must not run beside run.
func (o *output) close() error {
	var src error
	if o.src != nil {
		src = ignoreClosed(o.src.Close())
	}
	return errors.Join(src, o.sink.close())
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
