package service

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnswersWaitForTheReader: what is written comes after the reader reads on, and soon if it does not.
func TestAnswersWaitForTheReader(t *testing.T) {
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
			time.Sleep(time.Millisecond) // the bubble's clock: a reader that is about to read
			_, _ = p.Read(make([]byte, 1))
		}()
		if took := write(); took != time.Millisecond {
			t.Errorf("before the reader was back a write took %v, want 1ms", took)
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
