package stdio

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// past is a deadline that has gone by: setting it ends a read or write that
// waits, and loses nothing that has been transferred.
var past = time.Unix(1, 0)

// interrupt ends what waits on c and leaves c open, so that its owner can still
// ask what was left in it. What knows no deadline is closed.
func interrupt(c io.Closer) {
	if d, ok := c.(interface{ SetDeadline(time.Time) error }); ok && d.SetDeadline(past) == nil {
		return
	}
	_ = c.Close() // Closing is the message.
}

// resume lets reads wait again after an interrupt, where c knows deadlines.
func resume(c io.Closer) {
	if d, ok := c.(interface{ SetDeadline(time.Time) error }); ok {
		_ = d.SetDeadline(time.Time{}) // if c is closed, the next read says so
	}
}

// ignoreClosed forgives closing twice.
func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
