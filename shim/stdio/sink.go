package stdio

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/internal/sleep"
)

const (
	firstPause = 10 * time.Millisecond // between the first two dials
	longPause  = time.Second           // between the later ones

	// dialTimeout bounds one dial: a pipe whose server accepts no client is busy
	// for ever.
	dialTimeout = time.Second
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
	gone    time.Time     // when a write first failed; zero while the reader takes bytes
	dialed  time.Time     // when it was last dialled
	pause   time.Duration // before it is dialled again
	expired bool          // retry is over: output is discarded
	lost    int           // bytes discarded since gone
	written uint64        // bytes that the reader or its pipe has accepted
	absent  int           // how often it went
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
			if !s.redial(ctx) {
				s.lost += len(p) - taken
				return taken
			}
			continue
		}
		n, err := fault.Do("write output", func() (int, error) { return conn.Write(p[taken:min(len(p), taken+writeSize)]) })
		taken += n
		s.written += uint64(n)
		if n > 0 {
			s.readerBack()
		}
		if err != nil {
			s.readerGone(conn, err)
		}
	}
	return taken
}

// redial dials the reader until it accepts. It returns false when p is to be discarded.
func (s *sink) redial(ctx context.Context) bool {
	for !s.expired {
		left := s.retry - time.Since(s.gone)
		if left <= 0 {
			s.expired = true
			s.report(func(l *log.Entry) {
				l.Warnf("the reader of the output did not return within %v: output is discarded", s.retry)
			})
			return false
		}
		if sleep.For(ctx, min(s.pause, left)) != nil {
			return false
		}
		s.pause = min(max(firstPause, 2*s.pause), longPause)
		if s.dialOnce(ctx, min(dialTimeout, max(left, firstPause))) {
			return true
		}
	}
	// A dead reader must not hold the program back: one short dial a second.
	if time.Since(s.dialed) < longPause {
		return false
	}
	return s.dialOnce(ctx, firstPause)
}

func (s *sink) dialOnce(ctx context.Context, bound time.Duration) bool {
	s.dialed = time.Now()
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

// readerBack notes that the reader has taken bytes.
func (s *sink) readerBack() {
	if s.gone.IsZero() {
		return
	}
	lost := s.lost
	s.gone, s.pause, s.expired, s.lost = time.Time{}, 0, false, 0
	s.report(func(l *log.Entry) { l.WithField(logfield.LostBytes, lost).Info("the reader of the output is back") })
}

// readerGone closes a connection that failed. The reader counts as gone until it
// takes bytes again, so retry also bounds one that accepts and takes nothing.
func (s *sink) readerGone(conn io.WriteCloser, err error) {
	s.mu.Lock()
	s.conn = nil
	s.mu.Unlock()
	_ = conn.Close() // It failed already.
	if s.gone.IsZero() {
		s.gone = time.Now()
		s.absent++
		s.report(func(l *log.Entry) { l.WithError(err).Info("the reader of the output is gone") })
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

// close shows the reader the end of the output.
func (s *sink) close() error {
	s.mu.Lock()
	conn := s.conn
	s.conn = nil
	s.mu.Unlock()
	if conn == nil {
		return nil
	}
	return ignoreClosed(fault.Call("close output", conn.Close))
}

// ended reports how many bytes a reader that was gone for a time has accepted in all. What is missing in its log although it is
// among them was lost with the reader.
func (s *sink) ended() {
	if s.absent == 0 {
		return
	}
	s.report(func(l *log.Entry) {
		l.WithFields(log.Fields{logfield.Written: s.written, logfield.Absences: s.absent}).Info("the output has ended")
	})
}

func (s *sink) report(f func(*log.Entry)) {
	if s.log != nil {
		f(s.log)
	}
}
