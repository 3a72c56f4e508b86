package service

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestOrderedConn_Write_WaitsForTheReader: a write waits until the reader reads again, or for readerTimeout.
func TestOrderedConn_Write_WaitsForTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		p := &orderedConn{Conn: ours}
		go func() { _, _ = io.Copy(io.Discard, theirs) }() // ends with the pipe
		write := func() time.Duration {
			began := time.Now()
			if _, err := p.Write([]byte("answer")); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		if took := write(); took != readerTimeout {
			t.Errorf("without a reader a write took %v, want %v", took, readerTimeout)
		}
		go func() { // ends with the pipe
			time.Sleep(time.Millisecond) // of the bubble's clock, before the reader reads
			_, _ = p.Read(make([]byte, 1))
		}()
		if took := write(); took != time.Millisecond {
			t.Errorf("before the reader read a write took %v, want 1ms", took)
		}
		if took := write(); took != 0 {
			t.Errorf("beside a reader a write took %v", took)
		}
		if err := theirs.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if back := p.waitForReader(); back != nil {
			t.Error("after the end of the connection a write would wait")
		}
	})
}

// pipes accepts the connections of a channel.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return nil }

func TestListener_AcceptFails_IsTemporary(t *testing.T) {
	i := newIdle(func() {})
	defer i.close()
	_, err := listener{failing{}, i}.Accept()
	var again interface{ Temporary() bool } // ttrpc looks for it
	if !errors.As(err, &again) || !again.Temporary() || !errors.Is(err, errBusy) {
		t.Errorf("accept: %v, want a temporary error", err)
	}
	p := make(pipes)
	close(p)
	if _, err := (listener{p, i}).Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept of a listener that is closed: %v", err)
	}
}

// failing is a listener whose Accept fails.
type failing struct{ pipes }

var errBusy = errors.New("busy")

func (failing) Accept() (net.Conn, error) { return nil, errBusy }
