package stdio

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestOutput_HeldOpen_IsQuiet: the program is gone and a grandchild holds its stdout. That is noticed within two of the times for
// which it has to be quiet, and what the grandchild writes much later still arrives.
func TestOutput_HeldOpen_IsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, conn := net.Pipe()
		b := runOutput(t, conn, nil)
		read := func(want string) {
			t.Helper()
			got := make([]byte, len(want))
			if _, err := io.ReadFull(reader, got); err != nil || string(got) != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		}
		go b.print(t, "final bytes")
		read("final bytes")
		began := time.Now()
		if !b.out.quiet(t.Context()) {
			t.Error("the stream is not called held")
		}
		if took := time.Since(began); took > 2*quietTime {
			t.Errorf("that took %s, want at most %s", took, 2*quietTime)
		}
		time.Sleep(time.Hour)
		go b.print(t, "from the grave")
		read("from the grave")
	})
}

// TestOutput_StillWritten_IsNotQuiet: a stream is not held while something comes, nor while its reader takes nothing.
func TestOutput_StillWritten_IsNotQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, conn := net.Pipe()
		b := runOutput(t, conn, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() {
			for range 20 {
				time.Sleep(quietTime / 2)
				b.print(t, "x")
			}
			b.print(t, "stalled")
		}()
		go func() { _, _ = io.ReadFull(reader, make([]byte, 20)) }()
		if b.out.quiet(ctx) {
			t.Error("the stream is called held")
		}
		if ctx.Err() == nil {
			t.Error("it is called ended before its bound")
		}
	})
}

// heldRelay is a started relay with one output in memory, from a program's side to a reader's.
func heldRelay(t *testing.T, client, console bool) (r *Relay, program, reader net.Conn) {
	t.Helper()
	r = &Relay{terminal: console}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	reader, conn := net.Pipe()
	away := func(context.Context) (io.WriteCloser, error) { return nil, io.ErrClosedPipe }
	o := newOutput(fieldStdout, newSink(conn, away, testRetry), &r.lost)
	o.client = client
	r.output = append(r.output, o)
	src, program := net.Pipe()
	if console {
		in, keyboard := net.Pipe()
		t.Cleanup(func() { _ = keyboard.Close() })
		r.Use(in, src, nil)
	} else {
		r.Use(nil, src, nil)
	}
	return r, program, reader
}

// TestRelay_OutputHeldOpen_ClientSeesTheEnd: the client that waits for the end of the stream gets it, and the program
// that holds the stream open writes on, also beyond Close.
func TestRelay_OutputHeldOpen_ClientSeesTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, program, reader := heldRelay(t, true, false)
		r.Start()
		go func() { _, _ = io.WriteString(program, "final bytes") }() // who reads it tells
		expect(t, reader, "final bytes")
		began := time.Now()
		for range 2 {
			if held, err := r.Drain(t.Context()); !held || err != nil {
				t.Errorf("Drain = %t, %v; want held", held, err)
			}
		}
		if took := time.Since(began); took > 2*quietTime {
			t.Errorf("that took %s, want at most %s", took, 2*quietTime)
		}
		if got := readAll(t, reader); got != "" {
			t.Errorf("the client got %q, want the end", got)
		}
		write(t, program, "from the grave")
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		write(t, program, "still")
		_ = program.Close()
		synctest.Wait()
		if got, want := r.Lost(), uint64(len("from the grave"+"still")); got != want {
			t.Errorf("%d bytes are called lost, want %d", got, want)
		}
	})
}

// TestRelay_OutputHeldOpen_LogGoesOn: no one waits for the end of a log, so it gets what is written until Close.
func TestRelay_OutputHeldOpen_LogGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, program, reader := heldRelay(t, false, false)
		r.Start()
		if held, err := r.Drain(t.Context()); !held || err != nil {
			t.Errorf("Drain = %t, %v; want held", held, err)
		}
		go func() { _, _ = io.WriteString(program, "from the grave") }() // who reads it tells
		expect(t, reader, "from the grave")
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if got := readAll(t, reader); got != "" {
			t.Errorf("the log got %q, want the end", got)
		}
		write(t, program, "still")
		_ = program.Close()
	})
}

// TestRelay_ConsoleWithoutReader_IsReadToItsEnd: the close of a console waits for its output to be read, whether its reader
// has stalled or it was never started.
func TestRelay_ConsoleWithoutReader_IsReadToItsEnd(t *testing.T) {
	t.Run("stalled reader", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, screen, _ := heldRelay(t, true, true)
			r.Start()
			closed := make(chan struct{})
			go func() { // as ClosePseudoConsole does
				defer close(closed)
				for _, frame := range []string{"a screen", "the last frame"} {
					if _, err := io.WriteString(screen, frame); err != nil {
						t.Error(err)
					}
				}
				_ = screen.Close()
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := r.Drain(ctx); err == nil {
				t.Error("Drain has delivered what no reader took")
			}
			<-closed
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	})
	for name, closeFirst := range map[string]bool{"failed start": false, "closed relay": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, screen, _ := heldRelay(t, true, true)
				if closeFirst {
					_ = screen.Close()
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				if closeFirst { // the console came too late
					out, late := net.Pipe()
					in, _ := net.Pipe()
					r.Use(in, out, nil)
					screen = late
				}
				write(t, screen, "the last frame")
				_ = screen.Close()
			})
		})
	}
}

// lateSource is a stream whose first read returns its bytes only when it is interrupted: the read has ended, and the goroutine
// that waits for it has not run since.
type lateSource struct {
	bytes       string
	interrupted chan struct{}
	closed      chan struct{}
}

func (s *lateSource) Read(p []byte) (int, error) {
	if s.bytes != "" {
		<-s.interrupted
		n := copy(p, s.bytes)
		s.bytes = s.bytes[n:]
		return n, nil
	}
	<-s.closed
	return 0, io.EOF
}

func (s *lateSource) SetDeadline(at time.Time) error {
	if !at.IsZero() {
		close(s.interrupted)
	}
	return nil
}

func (s *lateSource) Close() error { return nil }

// TestRelay_ReadReturnsLate_ClientGetsTheOutput: on a busy machine a stream may look quiet although it has bytes.
func TestRelay_ReadReturnsLate_ClientGetsTheOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, reader := heldRelay(t, true, false)
		src := &lateSource{"final bytes", make(chan struct{}), make(chan struct{})}
		r.output[0].src = src
		got := make(chan string)
		go func() { got <- readAll(t, reader) }()
		r.Start()
		if held, err := r.Drain(t.Context()); !held || err != nil {
			t.Errorf("Drain = %t, %v; want held", held, err)
		}
		if text := <-got; text != "final bytes" {
			t.Errorf("the client got %q, want all bytes and the end", text)
		}
		if lost := r.Lost(); lost != 0 {
			t.Errorf("%d bytes are called lost", lost)
		}
		close(src.closed)
	})
}
