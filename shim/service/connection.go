package service

import (
	"net"
	"sync"
	"time"
)

// readerBound is how long an answer waits for the reader of its connection. It is met when the client breaks the
// protocol alone: the server's reader and writer then wait for each other.
const readerBound = 10 * time.Millisecond

// paced is a connection whose writes wait until its reader reads on.
//
// ttrpc's server notes a request's stream after it has started the handler, and forgets it when it has written the
// answer. An answer that overtakes the note leaves the stream noted for as long as the connection lasts, which is as
// long as containerd. The one goroutine that notes streams reads on afterwards: an answer that waits for that comes
// after the note. All methods are safe for concurrent use, with one reader.
type paced struct {
	net.Conn

	mu    sync.Mutex // guards the fields below
	back  bool       // the reader reads, or will not again
	ended bool
	wake  chan struct{} // closed when the reader is back; nil until somebody waits
}

func (p *paced) Read(b []byte) (int, error) {
	p.turn(true, false)
	n, err := p.Conn.Read(b)
	p.turn(false, err != nil)
	return n, err
}

// turn says whether the reader reads.
func (p *paced) turn(reads, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = p.ended || ended
	p.back = reads || p.ended
	if p.back && p.wake != nil {
		close(p.wake)
		p.wake = nil
	}
}

func (p *paced) Write(b []byte) (int, error) {
	if back := p.awaited(); back != nil {
		late := time.NewTimer(readerBound)
		defer late.Stop()
		select {
		case <-back:
		case <-late.C:
		}
	}
	return p.Conn.Write(b)
}

// awaited is closed when the reader is back; nil if it is.
func (p *paced) awaited() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.back {
		return nil
	}
	if p.wake == nil {
		p.wake = make(chan struct{})
	}
	return p.wake
}
