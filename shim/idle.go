package shim

import (
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
	mu    sync.Mutex
	needs int // tasks, ids that are being created, and clients
	timer *time.Timer
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

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.idle.need(1)
	return &client{Conn: c, idle: l.idle}, nil
}

// client is one connection.
type client struct {
	net.Conn
	idle *idle
	gone sync.Once
}

func (c *client) Close() error {
	c.gone.Do(func() { c.idle.need(-1) })
	return c.Conn.Close()
}
