package bootstrap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// switchboard is a listener in memory.
type switchboard struct {
	calls  chan net.Conn
	failed chan error // returned by Accept
	closed chan struct{}
}

func newSwitchboard() *switchboard {
	return &switchboard{calls: make(chan net.Conn), failed: make(chan error), closed: make(chan struct{})}
}

func (s *switchboard) Accept() (net.Conn, error) {
	select {
	case c := <-s.calls:
		return c, nil
	case err := <-s.failed:
		return nil, err
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *switchboard) Close() error   { close(s.closed); return nil }
func (s *switchboard) Addr() net.Addr { return &net.UnixAddr{} }

// read connects a reader.
func (s *switchboard) read() net.Conn {
	here, there := net.Pipe()
	s.calls <- there
	return here
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLogPipe_NoReaderYet_LinesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwitchboard()
		p := newLogPipe(s)
		fmt.Fprintln(p, "before")
		r := s.read()
		defer r.Close()
		lines := bufio.NewReader(r)
		if got := line(t, lines); got != "before\n" {
			t.Errorf("first line %q", got)
		}
		fmt.Fprintln(p, "after")
		if got := line(t, lines); got != "after\n" {
			t.Errorf("second line %q", got)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestLogPipe_AcceptFails_NextReaderGetsLines: a client that cannot be accepted does not silence the log.
func TestLogPipe_AcceptFails_NextReaderGetsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwitchboard()
		p := newLogPipe(s)
		defer p.Close()
		fmt.Fprintln(p, "first")
		for range 3 {
			s.failed <- errors.New("no system resources")
		}
		r := s.read()
		defer r.Close()
		if got := line(t, bufio.NewReader(r)); got != "first\n" {
			t.Errorf("the log has %q", got)
		}
		go func() { s.failed <- errors.New("no system resources") }()
		synctest.Wait() // the pipe pauses
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLogPipe_SecondReader_ReplacesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwitchboard()
		p := newLogPipe(s)
		first := s.read()
		second := s.read()
		defer second.Close()
		if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the first reader got %v, want the end", err)
		}
		fmt.Fprintln(p, "news")
		if got := line(t, bufio.NewReader(second)); got != "news\n" {
			t.Errorf("the second reader got %q", got)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLogPipe_ReaderGone_NextGetsRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwitchboard()
		p := newLogPipe(s)
		s.read().Close()
		fmt.Fprintln(p, "one")
		synctest.Wait()
		fmt.Fprintln(p, "two")
		r := s.read()
		defer r.Close()
		lines := bufio.NewReader(r)
		if got := line(t, lines) + line(t, lines); got != "one\ntwo\n" {
			t.Errorf("the next reader got %q", got)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLogPipe_ReaderStalls_WriteReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwitchboard()
		p := newLogPipe(s)
		stalled := s.read()
		defer stalled.Close()
		began := time.Now()
		for i := range 5000 {
			fmt.Fprintf(p, "line %d without a reader\n", i)
		}
		if time.Since(began) > 0 {
			t.Error("Write waited for the reader")
		}
		time.Sleep(2 * logWriteTimeout) // the bubble's clock
		r := s.read()
		defer r.Close()
		lines := bufio.NewReader(r)
		notice := line(t, lines)
		var last string
		kept := 0
		for last != "line 4999 without a reader\n" {
			last = line(t, lines)
			kept++
		}
		if want := fmt.Sprintf("\"%d lines", 5000-kept); !strings.Contains(notice, want) {
			t.Errorf("%d of 5000 lines came, and the notice is %q", kept, notice)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLogPipe_Close_DeliversLastLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwitchboard()
		p := newLogPipe(s)
		r := s.read()
		synctest.Wait()
		fmt.Fprintln(p, "the end")
		got := make(chan string)
		go func() {
			all, _ := io.ReadAll(r)
			got <- string(all)
		}()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if all := <-got; all != "the end\n" {
			t.Errorf("the reader got %q", all)
		}
		if err := p.Close(); err != nil {
			t.Errorf("a second close: %v", err)
		}
	})
}
