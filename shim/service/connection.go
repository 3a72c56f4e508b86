package service

import (
	"errors"
	"net"
	"sync"
	"time"
)

// listener counts the clients of a listener.
type listener struct {
	net.Listener
	idle *idle
}

// Accept waits for a client. Each failure but the close of the listener is temporary to ttrpc, which then tries again: a
// client that cannot be accepted must not end a shim with containers.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if errors.Is(err, net.ErrClosed) {
		return nil, err
	}
	if err != nil {
		return nil, temporary{err}
	}
	l.idle.countClients(1)
	return &client{Conn: &orderedConn{Conn: c}, idle: l.idle}, nil
}

// temporary is an error after which ttrpc accepts again.
type temporary struct{ error }

// Temporary is what ttrpc looks for.
func (t temporary) Temporary() bool { return true }

func (t temporary) Unwrap() error { return t.error }

// client is one connection.
type client struct {
	net.Conn
	idle *idle
	once sync.Once // guards the count
}

func (c *client) Close() error {
	c.once.Do(func() { c.idle.countClients(-1) })
	return c.Conn.Close()
}

// readerTimeout is how long an answer waits for the reader of its connection. Only a client that breaks the protocol
// causes such a wait: the server's reader and writer then wait for each other.
const readerTimeout = 10 * time.Millisecond

// orderedConn is a connection whose writes wait until its reader reads again.
//
// ttrpc's server records the stream of a request after it has started the handler, and removes it when it has written the
// answer. If the answer is first the record remains until the connection ends, which is as long as containerd runs. The
// goroutine that records streams then reads again: an answer that waits for that read comes after the record. All methods
// are safe for concurrent use, with one reader.
type orderedConn struct {
	net.Conn

	mu      sync.Mutex // guards the fields below
	reading bool       // the reader reads, or will not read again
	ended   bool
	wake    chan struct{} // closed when the reader reads; nil while no write waits
}

func (c *orderedConn) Read(b []byte) (int, error) {
	c.setReading(true, false)
	n, err := c.Conn.Read(b)
	c.setReading(false, err != nil)
	return n, err
}

func (c *orderedConn) setReading(reading, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = c.ended || ended
	c.reading = reading || c.ended
	if c.reading && c.wake != nil {
		close(c.wake)
		c.wake = nil
	}
}

func (c *orderedConn) Write(b []byte) (int, error) {
	if wake := c.waitForReader(); wake != nil {
		late := time.NewTimer(readerTimeout)
		defer late.Stop()
		select {
		case <-wake:
		case <-late.C:
		}
	}
	return c.Conn.Write(b)
}

// waitForReader returns a channel that is closed when the reader reads, or nil if it does.
func (c *orderedConn) waitForReader() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reading {
		return nil
	}
	if c.wake == nil {
		c.wake = make(chan struct{})
	}
	return c.wake
}
