package stdio

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestInput_PipeMissing_EndsAfterTimeout: the client hangs up and its pipe is gone. A client whose process lives has
// closed it; one whose process has ended is awaited for longer.
func TestInput_PipeMissing_EndsAfterTimeout(t *testing.T) {
	for name, tc := range map[string]struct {
		server server
		want   time.Duration
	}{
		"process lives":      {&testServer{alive: true}, closedTimeout},
		"process has ended":  {&testServer{}, defaultRetry},
		"process is unknown": {nil, defaultRetry},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := runInput(t, tc.server, func() error { return fs.ErrNotExist })
				in.send(t, "all of it")
				began := time.Now()
				in.hangUp(t)
				if got := in.rest(t); got != "" {
					t.Errorf("the program read %q more", got)
				}
				if waited := time.Since(began); waited < tc.want || waited > tc.want+2*longPause {
					t.Errorf("the input ended after %s, want %s", waited, tc.want)
				}
			})
		})
	}
}

// TestInput_ProcessEndsWhilePipeMissing_WaitsForReturn: the pipe of a process that is about to end is gone first.
func TestInput_ProcessEndsWhilePipeMissing_WaitsForReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &testServer{alive: true}
		in := runInput(t, s, func() error {
			s.alive = time.Since(began) < closedTimeout/2
			return fs.ErrNotExist
		})
		in.hangUp(t)
		_ = in.rest(t)
		if waited := time.Since(began); waited < defaultRetry {
			t.Errorf("the input ended after %s, want %s", waited, defaultRetry)
		}
	})
}

// TestInput_PipeExists_StaysOpen: a client that accepts again after a day continues the input.
func TestInput_PipeExists_StaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := runInput(t, &testServer{alive: true}, func() error { return context.DeadlineExceeded })
		in.send(t, "one")
		in.hangUp(t)
		time.Sleep(24 * time.Hour)
		in.accept()
		in.send(t, "two")
	})
}

// TestInput_PipeReturnsInTime_StaysOpen: containerd is away for just less than the timeout, again and again.
func TestInput_PipeReturnsInTime_StaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := runInput(t, &testServer{}, func() error { return fs.ErrNotExist })
		for range 3 {
			in.send(t, "on")
			in.hangUp(t)
			time.Sleep(defaultRetry - 2*longPause)
			in.accept()
		}
		in.send(t, "still on")
	})
}

// TestInput_PipeMissingNowAndThen_StaysOpen: only an uninterrupted absence counts.
func TestInput_PipeMissingNowAndThen_StaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		in := runInput(t, &testServer{alive: true}, func() error {
			if calls++; calls%2 == 0 {
				return errors.New("busy")
			}
			return fs.ErrNotExist
		})
		in.hangUp(t)
		time.Sleep(time.Hour)
		in.accept()
		in.send(t, "back")
	})
}

// TestInput_ConsolePipeMissing_StaysOpen: Windows ends the programs of a console whose input is closed.
func TestInput_ConsolePipeMissing_StaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newTestInput(t, &testServer{alive: true}, func() error { return fs.ErrNotExist })
		in.keep = true
		in.start()
		in.send(t, "one")
		in.hangUp(t)
		time.Sleep(24 * time.Hour)
		in.accept()
		in.send(t, "two")
	})
}

// TestInput_FinishWhilePipeMissing_EndsAtOnce: CloseIO is not delayed by the timeouts.
func TestInput_FinishWhilePipeMissing_EndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := runInput(t, &testServer{alive: true}, func() error { return fs.ErrNotExist })
		in.hangUp(t)
		synctest.Wait()
		began := time.Now()
		in.finish()
		_ = in.rest(t)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the input ended after %s, want at once", waited)
		}
	})
}

// TestInput_Close_ClosesEveryServer: no handle of a client's process stays.
func TestInput_Close_ClosesEveryServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testServer{}
		in := runInput(t, s, func() error { return context.DeadlineExceeded })
		for range 3 {
			in.hangUp(t)
			in.accept()
			in.send(t, "x")
		}
		in.stop()
		if s.opened != 4 || s.closed != s.opened {
			t.Errorf("%d handles were opened, %d closed; want 4 of both", s.opened, s.closed)
		}
	})
}

// TestReach_NotAccepted_IsGivenUp: a pipe that exists and is not accepted at.
func TestReach_NotAccepted_IsGivenUp(t *testing.T) {
	busy := func(ctx context.Context) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := reach(t.Context(), &address{field: "stdin", path: `\\.\pipe\x`}, busy)
		want := `open stdin: \\.\pipe\x: not accepted within 10s; the client must accept before it sends the request: unavailable`
		if err == nil || err.Error() != want || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want %s", err, want)
		}
		if waited := time.Since(began); waited != acceptTimeout {
			t.Errorf("given up after %s, want %s", waited, acceptTimeout)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := reach(ctx, &address{field: "stdin"}, busy); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the request's own end", err)
		}
	})
}

// testInput is an input in a bubble, with its client and its program.
type testInput struct {
	*input
	writer net.Conn // the client's end
	reader net.Conn // the program's end
	pipe   door
	stop   func()
}

// runInput starts an input whose server is known. missing is the error of a dial that the client does not answer.
func runInput(t *testing.T, s server, missing func() error) *testInput {
	t.Helper()
	in := newTestInput(t, s, missing)
	in.start()
	return in
}

func newTestInput(t *testing.T, s server, missing func() error) *testInput {
	t.Helper()
	in := &testInput{}
	writer, conn := net.Pipe()
	in.writer = writer
	in.input = newInput(nil, func(ctx context.Context) (net.Conn, error) {
		if c, err := in.pipe.dial(ctx); err == nil {
			return c.(net.Conn), nil
		}
		return nil, missing()
	})
	in.identify = func(net.Conn) server {
		if s, ok := s.(*testServer); ok {
			s.opened++
		}
		return s
	}
	in.client = conn
	in.setServer(conn)
	ours, theirs := net.Pipe()
	in.use(ours, false)
	in.reader = theirs
	t.Cleanup(func() { in.stop() })
	return in
}

func (in *testInput) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.run(ctx)
	}()
	in.stop = func() {
		cancel()
		in.interrupt()
		<-done
		_ = in.close()
	}
}

// send has the client write, and the program read it.
func (in *testInput) send(t *testing.T, text string) {
	t.Helper()
	go func() { _, _ = io.WriteString(in.writer, text) }()
	expect(t, in.reader, text)
}

func (in *testInput) hangUp(t *testing.T) {
	t.Helper()
	closeClient(t, in.writer)
}

// accept lets the next dial in and waits for it.
func (in *testInput) accept() {
	in.writer = in.pipe.open()
	time.Sleep(2 * longPause)
}

// rest reads what the program can read before the end of its input.
func (in *testInput) rest(t *testing.T) string {
	t.Helper()
	return readAll(t, in.reader)
}

// testServer is a client's process.
type testServer struct {
	alive          bool
	opened, closed int
}

func (s *testServer) running() bool { return s.alive }
func (s *testServer) close()        { s.closed++ }
