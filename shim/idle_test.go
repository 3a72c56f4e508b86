package shim

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose clients come from a channel.
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

func TestAShimThatNobodyNeedsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 2)
		i := newIdle(func() { ended <- time.Now() })
		defer i.close()
		p := make(pipes, 1)
		ours, _ := net.Pipe()
		p <- ours
		l := listener{p, i}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * patience) // of the fake clock: a client is there
		i.need(1)                // a task comes
		_ = c.Close()
		_ = c.Close() // counts once
		time.Sleep(2 * patience)
		if len(ended) > 0 {
			t.Fatal("a shim with a client, or with a task, has ended")
		}
		i.need(-1)
		last := time.Now()
		if took := (<-ended).Sub(last); took != patience {
			t.Errorf("it ended after %v, want %v", took, patience)
		}
	})
}
