package jobobject

import (
	"os"
	"sync"
)

// Console is a pseudo console: a terminal without a screen, for programs that
// want one. Safe for concurrent use.
//
// https://learn.microsoft.com/windows/console/creating-a-pseudoconsole-session
type Console struct {
	mu     sync.Mutex // guards handle against use after Close
	handle Handle     // 0 when closed
}

// NewConsole makes a pseudo console of width columns and height rows. What is
// written to in is typed into it; out carries what it shows. The caller closes
// both files and the Console. Systems without it say [ErrNotSupported].
func NewConsole(width, height uint16) (c *Console, in, out *os.File, err error) {
	c, in, out, err = newConsole(width, height)
	return c, in, out, fail("create console", "", err)
}

// Resize tells the program the new size. After Close it says [ErrClosed].
func (c *Console) Resize(width, height uint16) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == 0 {
		return fail("resize console", "", ErrClosed)
	}
	return fail("resize console", "", resizeConsole(c.handle, width, height))
}

// Close ends the console and the programs attached to it; out then comes to its
// end. Windows before build 26100 lets it wait for the last output to be read,
// so whoever reads out must go on until the end. Further calls do nothing.
func (c *Console) Close() error {
	c.mu.Lock()
	h := c.handle
	c.handle = 0
	c.mu.Unlock()
	if h != 0 {
		closeConsole(h)
	}
	return nil
}
