package stdio

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/logfield"
)

const (
	firstPause = 10 * time.Millisecond // between the first two calls for a reader
	longPause  = time.Second           // between the calls for one that stays away

	// dialBound is how long one call may take: a pipe whose server accepts
	// nobody is busy for ever.
	dialBound = time.Second
)

// sink is a reader that may go away and return.
type sink struct {
	// Immutable after newSink.
	dial  func(context.Context) (io.WriteCloser, error)
	retry time.Duration
	log   *log.Entry

	// mu guards the field below: the owner replaces it, interrupt ends its write.
	mu   sync.Mutex
	conn io.WriteCloser // nil while the reader is away

	// Owned by the goroutine that writes.
	gone   time.Time     // when the reader was first missed; zero while it takes bytes
	called time.Time     // when it was last dialled
	pause  time.Duration // before it is dialled again
	quit   bool          // retry is over: output is discarded
	lost   int           // bytes discarded in this absence
}

func newSink(conn io.WriteCloser, dial func(context.Context) (io.WriteCloser, error), retry time.Duration) *sink {
	return &sink{conn: conn, dial: dial, retry: retry}
}

// write gives p to the reader and returns how much of it was taken. It waits
// while the reader is slow, and up to retry while the reader is away.
func (s *sink) write(ctx context.Context, p []byte) (taken int) {
	for taken < len(p) {
		conn := s.current()
		if conn == nil {
			if !s.call(ctx) {
				s.lost += len(p) - taken
				return taken
			}
			continue
		}
		n, err := fault.Do("write output", func() (int, error) { return conn.Write(p[taken:min(len(p), taken+writeSize)]) })
		taken += n
		if n > 0 {
			s.present()
		}
		if err != nil {
			s.missing(conn, err)
		}
	}
	return taken
}

// call dials the reader until it answers or it is time to give up on p.
func (s *sink) call(ctx context.Context) bool {
	for !s.quit {
		left := s.retry - time.Since(s.gone)
		if left <= 0 {
			s.quit = true
			s.say(func(l *log.Entry) { l.Warn("reader stays away, output is discarded") })
			return false
		}
		if !wait(ctx, min(s.pause, left)) {
			return false
		}
		s.pause = min(max(firstPause, 2*s.pause), longPause)
		if s.reach(ctx, min(dialBound, max(left, firstPause))) {
			return true
		}
	}
	// A dead reader must not hold the program back: one short call a second.
	if time.Since(s.called) < longPause {
		return false
	}
	return s.reach(ctx, firstPause)
}

// reach dials once.
func (s *sink) reach(ctx context.Context, bound time.Duration) bool {
	s.called = time.Now()
	dialCtx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	conn, err := s.dial(dialCtx)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil { // interrupt has run and will not come again.
		_ = conn.Close()
		return false
	}
	s.conn = conn
	return true
}

// present ends an absence, if there is one.
func (s *sink) present() {
	if s.gone.IsZero() {
		return
	}
	lost := s.lost
	s.gone, s.pause, s.quit, s.lost = time.Time{}, 0, false, 0
	s.say(func(l *log.Entry) { l.WithField(logfield.LostBytes, lost).Info("reader is back") })
}

// missing drops a connection that failed. An absence begins with the first
// failure and lasts until bytes are taken again, so a reader that answers and
// takes nothing wears out the same patience.
func (s *sink) missing(conn io.WriteCloser, err error) {
	s.mu.Lock()
	s.conn = nil
	s.mu.Unlock()
	_ = conn.Close() // It failed already.
	if s.gone.IsZero() {
		s.gone = time.Now()
		s.say(func(l *log.Entry) { l.WithError(err).Info("reader is gone") })
	}
}

// interrupt ends a write that hangs. Any goroutine may call it.
func (s *sink) interrupt() {
	if conn := s.current(); conn != nil {
		interrupt(conn)
	}
}

func (s *sink) current() io.WriteCloser {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// close tells the reader that no more comes.
func (s *sink) close() error {
	s.mu.Lock()
	conn := s.conn
	s.conn = nil
	s.mu.Unlock()
	if conn == nil {
		return nil
	}
	return ignoreClosed(conn.Close())
}

func (s *sink) say(f func(*log.Entry)) {
	if s.log != nil {
		f(s.log)
	}
}

// wait waits for d and reports false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
