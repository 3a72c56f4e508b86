package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/sleep"
)

// maxLog bounds the lines that wait for a reader.
const maxLog = 64 << 10

// logWriteTimeout bounds a write to a reader that stalls; its connection is closed then. Only the pipe's goroutine
// waits for it.
const logWriteTimeout = 5 * time.Second

// acceptPause is how long the pipe waits after a reader that it could not accept.
const acceptPause = 100 * time.Millisecond

// logPipe is the shim's log as containerd reads it. It has one reader at a time: a new one replaces it, since a containerd
// that was restarted connects again. Without a reader the lines wait; if there are too many the oldest are dropped. Write
// never blocks on a reader. It is safe for concurrent use.
type logPipe struct {
	// Immutable after newLogPipe.
	listener net.Listener
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	readers  chan net.Conn
	wake     chan struct{} // capacity 1: something waits
	accepted chan struct{} // closed after the last reader
	done     sync.WaitGroup

	// mu guards the fields below.
	mu      sync.Mutex
	waiting []byte
	dropped int
	closed  bool
}

// newLogPipe starts two goroutines, which Close ends and waits for.
func newLogPipe(l net.Listener) *logPipe {
	p := &logPipe{
		listener: l, readers: make(chan net.Conn),
		wake: make(chan struct{}, 1), accepted: make(chan struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.done.Go(p.accept)
	p.done.Go(p.carry)
	return p
}

// Write takes whole lines. It never fails: an error of the log must not end the shim.
func (p *logPipe) Write(line []byte) (int, error) {
	p.mu.Lock()
	p.waiting = append(p.waiting, line...)
	p.trimLocked()
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default: // it is already awake
	}
	return len(line), nil
}

// take empties the queue. dropped counts the lines that went missing before the first of them.
func (p *logPipe) take() (lines []byte, dropped int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines, dropped = p.waiting, p.dropped
	p.waiting, p.dropped = nil, 0
	return lines, dropped
}

// restore puts back what a reader did not take, before what came since.
func (p *logPipe) restore(rest []byte, dropped int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(bytes.Clone(rest), p.waiting...)
	p.dropped += dropped
	p.trimLocked()
}

// trimLocked drops the oldest lines until the rest is within bounds.
func (p *logPipe) trimLocked() {
	for len(p.waiting) > maxLog {
		_, p.waiting, _ = bytes.Cut(p.waiting, []byte("\n"))
		p.dropped++
	}
}

// accept hands every reader that came to carry, which takes them until this ends. One that cannot be accepted is not the last.
func (p *logPipe) accept() {
	defer close(p.accepted)
	for {
		c, err := p.listener.Accept()
		switch {
		case err == nil:
			p.readers <- c
		case errors.Is(err, net.ErrClosed) || sleep.For(p.ctx, acceptPause) != nil:
			return
		}
	}
}

// carry owns the reader. It writes what waits, and what is left at the end.
func (p *logPipe) carry() {
	var reader net.Conn
	defer func() {
		if reader != nil {
			reader.Close()
		}
	}()
	for {
		select {
		case c := <-p.readers:
			if reader != nil {
				reader.Close()
			}
			reader = c
		case <-p.wake:
		case <-p.accepted:
			p.write(reader)
			return
		}
		if reader != nil && !p.write(reader) {
			reader.Close()
			reader = nil
		}
	}
}

// write gives the waiting lines to the reader and reports whether it is still there.
func (p *logPipe) write(reader net.Conn) bool {
	if reader == nil {
		return false
	}
	lines, dropped := p.take()
	_ = reader.SetWriteDeadline(time.Now().Add(logWriteTimeout)) // a reader that is gone shows in the write
	if dropped > 0 {
		if _, err := fmt.Fprintf(reader, "level=warning msg=\"%d lines of log were dropped\"\n", dropped); err != nil {
			p.restore(lines, dropped)
			return false
		}
	}
	if len(lines) == 0 {
		return true
	}
	n, err := fault.Do("write log pipe", func() (int, error) { return reader.Write(lines) })
	if err != nil {
		p.restore(lines[n:], 0)
		return false
	}
	return true
}

// Close delivers what waits to the reader that is there, and ends. It may be called again.
func (p *logPipe) Close() error {
	p.mu.Lock()
	again := p.closed
	p.closed = true
	p.mu.Unlock()
	if again {
		return nil
	}
	p.cancel()
	err := p.listener.Close()
	p.done.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
