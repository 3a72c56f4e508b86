package stdio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/log"
)

// TestOutput_ReaderStalls_ProgramIsHeldBack: a reader that takes nothing holds the program back, for
// however long, and when it wakes up every byte is there.
func TestOutput_ReaderStalls_ProgramIsHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, conn := net.Pipe()
		b := runOutput(t, conn, nil)
		text := string(randomBytes(3 * chunkSize))
		written := b.write(text)

		time.Sleep(time.Hour) // In the bubble's time: the reader is stalled.
		select {
		case <-written:
			t.Fatal("the program wrote three chunks past a reader that took none")
		default:
		}
		if got := readAll(t, reader); got != text {
			t.Errorf("got %d bytes of %d, or others", len(got), len(text))
		}
		<-b.out.done
		if b.lost.Load() != 0 || b.out.cause != nil {
			t.Errorf("lost %d bytes, cut %v", b.lost.Load(), b.out.cause)
		}
	})
}

// TestOutput_ReaderRestarts_GetsTheRest: a reader takes half a chunk, dies, and another one comes
// after 3 s. It gets the rest: nothing is missing and nothing comes twice.
func TestOutput_ReaderRestarts_GetsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, conn := net.Pipe()
		door := &door{}
		b := runOutput(t, conn, door.dial)
		text := string(randomBytes(2 * chunkSize))
		b.write(text)

		half := make([]byte, chunkSize/2)
		if _, err := io.ReadFull(reader, half); err != nil {
			t.Fatal(err)
		}
		_ = reader.Close()
		time.Sleep(3 * time.Second)
		if got := string(half) + readAll(t, door.open()); got != text {
			t.Errorf("got %d bytes of %d, or others", len(got), len(text))
		}
		<-b.out.done
		if n := b.lost.Load(); n != 0 {
			t.Errorf("%d bytes are called lost", n)
		}
		if want := fmt.Sprintf("absences=1 written_bytes=%d", len(text)); !strings.Contains(b.journal.String(), want) {
			t.Errorf("the log says %q, want %s", b.journal.String(), want)
		}
	})
}

// TestOutput_ReaderStaysAway_OutputDiscarded: the program is held back for the retry time and
// never after it; what it writes is counted; a reader that comes at last gets
// what is written from then on.
func TestOutput_ReaderStaysAway_OutputDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, conn := net.Pipe()
		door := &door{}
		b := runOutput(t, conn, door.dial)
		_ = reader.Close()

		began := time.Now()
		b.print(t, "first")
		b.print(t, "second") // Taken once the first was given up.
		if waited := time.Since(began); waited != testRetry {
			t.Errorf("the program waited %v for a dead reader, want %v", waited, testRetry)
		}
		calls := door.calls.Load()
		began = time.Now()
		for range 1000 {
			b.print(t, "x")
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the program waited %v for a reader given up", waited)
		}
		if n := door.calls.Load() - calls; n > 1 {
			t.Errorf("the dead reader was called %d times in no time", n)
		}
		time.Sleep(2 * longPause)
		fresh := door.open()
		b.print(t, "news")
		got := make([]byte, len("news"))
		if _, err := io.ReadFull(fresh, got); err != nil || string(got) != "news" {
			t.Errorf("the new reader got %q, error %v", got, err)
		}

		_ = fresh.Close() // The retry time is the new reader's as well.
		began = time.Now()
		b.print(t, "third")
		_ = b.program.Close()
		<-b.out.done
		if waited := time.Since(began); waited != testRetry {
			t.Errorf("the program waited %v for the new reader, want %v", waited, testRetry)
		}
		if got, want := b.lost.Load(), uint64(len("first")+len("second")+1000+len("third")); got != want {
			t.Errorf("%d bytes are called lost, want %d", got, want)
		}
	})
}

// TestOutput_ReaderTakesNothing_OutputDiscarded: each call is answered by a reader that hangs
// up at once. That is an absence as well, and it must not become a busy loop.
func TestOutput_ReaderTakesNothing_OutputDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls int
		b := runOutput(t, brokenConn{}, func(context.Context) (io.WriteCloser, error) {
			calls++
			return brokenConn{}, nil
		})
		began := time.Now()
		b.print(t, "to no reader")
		_ = b.program.Close()
		<-b.out.done
		if waited := time.Since(began); waited != testRetry {
			t.Errorf("gave up after %v, want %v", waited, testRetry)
		}
		if calls == 0 || calls > 30 {
			t.Errorf("called %d times in %v", calls, testRetry)
		}
		if got := b.lost.Load(); got != uint64(len("to no reader")) {
			t.Errorf("%d bytes are called lost", got)
		}
	})
}

// TestOutput_StopWhileReaderGone_EndsAtOnce: a Drain whose context ends does not wait for the retry time
// with a dead reader, and a call that hangs is hung up.
func TestOutput_StopWhileReaderGone_EndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := runOutput(t, brokenConn{}, func(ctx context.Context) (io.WriteCloser, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		began := time.Now()
		b.print(t, "unheard")
		synctest.Wait()
		stop := errors.New("stop")
		b.stop(stop)
		<-b.out.done
		if waited := time.Since(began); waited != 0 || !errors.Is(b.out.cause, stop) {
			t.Errorf("ended after %v with %v", waited, b.out.cause)
		}
		if got := b.lost.Load(); got != uint64(len("unheard")) {
			t.Errorf("%d bytes are called lost", got)
		}
	})
}

// TestOutput_StopDuringDial_EndsAtOnce: the reader answers in the instant in which the stream is
// given up. The connection is not left behind, and nothing waits on it.
func TestOutput_StopDuringDial_EndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, conn := net.Pipe()
		b := runOutput(t, brokenConn{}, func(ctx context.Context) (io.WriteCloser, error) {
			<-ctx.Done()
			return conn, nil
		})
		b.print(t, "unheard")
		synctest.Wait()
		b.stop(io.EOF)
		<-b.out.done
		if got := readAll(t, reader); got != "" {
			t.Errorf("the late reader got %q", got)
		}
	})
}

const testRetry = 10 * time.Second

// bench is an output in a bubble, with the program's end of it.
type bench struct {
	out     *output
	program net.Conn
	lost    atomic.Uint64
	journal bytes.Buffer // the log
	stop    func(error)
}

func runOutput(t *testing.T, conn io.WriteCloser, dial func(context.Context) (io.WriteCloser, error)) *bench {
	t.Helper()
	b := &bench{}
	before := log.L.Logger.Out
	log.L.Logger.SetOutput(&b.journal)
	program, src := net.Pipe()
	b.program = program
	b.out = newOutput("stdout", newSink(conn, dial, testRetry), &b.lost)
	b.out.use(src)
	b.out.sink.log = log.L
	ctx, cancel := context.WithCancelCause(t.Context())
	b.stop = func(cause error) {
		cancel(cause)
		b.out.interrupt()
	}
	t.Cleanup(func() {
		_ = program.Close()
		b.stop(nil)
		<-b.out.done
		log.L.Logger.SetOutput(before)
	})
	go b.out.run(ctx)
	return b
}

// write prints text and exits; the channel is closed when all was taken.
func (b *bench) write(text string) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.WriteString(b.program, text)
		_ = b.program.Close()
	}()
	return done
}

// print waits until text was taken.
func (b *bench) print(t *testing.T, text string) {
	t.Helper()
	write(t, b.program, text)
}

// door is a listener that a test opens when it wants to.
type door struct {
	calls atomic.Int64

	mu   sync.Mutex
	conn net.Conn
}

func (d *door) dial(context.Context) (io.WriteCloser, error) {
	d.calls.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		return nil, errors.New("no listener")
	}
	conn := d.conn
	d.conn = nil
	return conn, nil
}

// open lets the next call in and returns the reader's end.
func (d *door) open() net.Conn {
	reader, conn := net.Pipe()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = conn
	return reader
}

type brokenConn struct{}

func (brokenConn) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (brokenConn) Close() error              { return nil }
