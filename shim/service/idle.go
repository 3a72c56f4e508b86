package service

import (
	"errors"
	"net"
	"sync"
	"time"
)

// patience is how long a shim stays without a task and without a client. It is longer than containerd takes to restart.
const patience = 30 * time.Second

// idle ends a shim that nobody needs: one whose containerd died between its start and the first Create, or before the
// Shutdown that follows the last Delete. All methods are safe for concurrent use.
type idle struct {
	end func()

	// mu guards the fields below.
	mu      sync.Mutex
	needs   int // tasks, ids that are being created, and clients
	timer   *time.Timer
	clients int
	left    chan struct{} // see deserted; nil until it is asked for
}

// newIdle begins to wait. end is called once, on a goroutine of its own.
func newIdle(end func()) *idle { return &idle{end: end, timer: time.AfterFunc(patience, end)} }

// need counts one more, or with -1 one less.
func (i *idle) need(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.needs += n
	if i.needs == 0 {
		i.timer.Reset(patience)
	} else {
		i.timer.Stop()
	}
}

// client counts one client more, or with -1 one less.
func (i *idle) client(n int) {
	i.need(n)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.clients += n
	if i.clients == 0 && i.left != nil {
		close(i.left)
		i.left = nil
	}
}

// deserted is closed once there is no client.
func (i *idle) deserted() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.left == nil {
		i.left = make(chan struct{})
	}
	left := i.left
	if i.clients == 0 {
		close(left)
		i.left = nil
	}
	return left
}

// close ends the wait.
func (i *idle) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.timer.Stop()
}

// listener counts the clients of a listener.
type listener struct {
	net.Listener
	idle *idle
}

// Accept waits for a client. One that could not be accepted is no reason to end a shim that has containers: but for the
// end of the listener, every failure is one that ttrpc tries again after.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if errors.Is(err, net.ErrClosed) {
		return nil, err
	}
	if err != nil {
		return nil, passing{err}
	}
	l.idle.client(1)
	return &client{Conn: &paced{Conn: c}, idle: l.idle}, nil
}

// passing is a failure after which there is another chance.
type passing struct{ error }

// Temporary makes ttrpc go on.
func (passing) Temporary() bool { return true }

func (p passing) Unwrap() error { return p.error }

// client is one connection.
type client struct {
	net.Conn
	idle *idle
	gone sync.Once
}

func (c *client) Close() error {
	c.gone.Do(func() { c.idle.client(-1) })
	return c.Conn.Close()
}

// watchIdle ends the shim when nobody needs it for a while. A task that comes at the last moment keeps it.
func (s *Service) watchIdle() *idle {
	i := newIdle(func() { s.leave("") })
	s.need = i.need
	return i
}
