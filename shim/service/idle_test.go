package service

import (
	"errors"
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
		time.Sleep(2 * idleTimeout) // of the fake clock: a client is there
		i.count(1)                  // a task comes
		_ = c.Close()
		_ = c.Close() // counts once
		time.Sleep(2 * idleTimeout)
		if len(ended) > 0 {
			t.Fatal("a shim with a client, or with a task, has ended")
		}
		i.count(-1)
		last := time.Now()
		if took := (<-ended).Sub(last); took != idleTimeout {
			t.Errorf("it ended after %v, want %v", took, idleTimeout)
		}
	})
}

// TestAShimThatEndsWaitsForItsClients: they have been answered when they have hung up.
func TestAShimThatEndsWaitsForItsClients(t *testing.T) {
	i := newIdle(func() {})
	defer i.close()
	<-i.noClients()
	i.countClients(1)
	i.countClients(1)
	left, again := i.noClients(), i.noClients()
	i.countClients(-1)
	select {
	case <-left:
		t.Fatal("a client is there")
	default:
	}
	i.countClients(-1)
	<-left
	<-again
	<-i.noClients()
}

// TestAClientThatCannotBeAccepted: the next one can.
func TestAClientThatCannotBeAccepted(t *testing.T) {
	i := newIdle(func() {})
	defer i.close()
	_, err := listener{failing{}, i}.Accept()
	var again interface{ Temporary() bool } // which is what ttrpc asks for
	if !errors.As(err, &again) || !again.Temporary() || !errors.Is(err, errBusy) {
		t.Errorf("accept: %v, want one that passes", err)
	}
	p := make(pipes)
	close(p)
	if _, err := (listener{p, i}).Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept of a listener that is closed: %v", err)
	}
}

// failing is a listener that has a bad moment.
type failing struct{ pipes }

var errBusy = errors.New("busy")

func (failing) Accept() (net.Conn, error) { return nil, errBusy }
