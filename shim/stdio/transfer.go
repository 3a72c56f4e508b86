package stdio

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// chunkSize is how much one read takes, and the quota of the pipes made here: a
// pipe costs by the call, and four times as much changes little more.
const chunkSize = 256 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

func getChunk() *[]byte { return chunks.Get().(*[]byte) }

func putChunk(c *[]byte) { chunks.Put(c) }

// writeSize is the most that one write gives to a reader. Windows reports 0
// bytes of a write that it interrupts, however much of it the reader took, and
// what is reported as not taken is written to the next reader. containerd's
// clients read 32 KiB at a time: they take such a write whole or not at all.
const writeSize = 32 << 10

// past is a deadline that has gone by: setting it ends a read or write that
// waits, and loses nothing that has been transferred.
var past = time.Unix(1, 0)

// interrupt ends the reads and writes that wait on c and leaves c open, so that
// its owner can still query what was left in it. What has no deadlines is closed.
func interrupt(c io.Closer) {
	if d, ok := c.(interface{ SetDeadline(time.Time) error }); ok && d.SetDeadline(past) == nil {
		return
	}
	_ = c.Close() // the owner sees the error of its read or write
}

// resume lets reads wait again after an interrupt, where c has deadlines.
func resume(c io.Closer) {
	if d, ok := c.(interface{ SetDeadline(time.Time) error }); ok {
		_ = d.SetDeadline(time.Time{}) // if c is closed, the next read says so
	}
}

// ignoreClosed drops the error of closing twice.
func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
