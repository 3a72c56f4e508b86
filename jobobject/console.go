package jobobject

import (
	"fmt"
	"io"
	"math"
	"sync"
)

// Console is a pseudo console: a terminal without a screen, for programs that
// want one. Safe for concurrent use.
//
// https://learn.microsoft.com/windows/console/creating-a-pseudoconsole-session
type Console struct {
	kernel Kernel
	mu     sync.Mutex // guards handle against use after Close
	handle Handle     // 0 when closed
}

// NewConsole makes a pseudo console of width columns and height rows. What is
// written to in is typed into it; out carries what it shows. The caller closes
// both streams and the Console. Systems without it say [ErrNotSupported]. A nil
// Kernel is [System].
func NewConsole(width, height uint16, k Kernel) (c *Console, in io.WriteCloser, out io.ReadCloser, err error) {
	k = kernelOr(k)
	if err := checkSize(width, height); err != nil {
		return nil, nil, nil, fail("create console", "", err)
	}
	h, in, out, err := k.CreateConsole(width, height)
	if err != nil {
		return nil, nil, nil, fail("create console", "", err)
	}
	return &Console{kernel: k, handle: h}, in, out, nil
}

// Handle is the console's handle, 0 after Close, for a [Kernel] that starts a
// process on it.
func (c *Console) Handle() Handle {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handle
}

// Resize tells the program the new size. After Close it says [ErrClosed].
func (c *Console) Resize(width, height uint16) error {
	if err := checkSize(width, height); err != nil {
		return fail("resize console", "", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == 0 {
		return fail("resize console", "", ErrClosed)
	}
	return fail("resize console", "", c.kernel.ResizeConsole(c.handle, width, height))
}

// Close ends the console and the programs attached to it; out then comes to its
// end. On Windows before build 26100 it returns when the last of those programs
// has ended and out was read to its end, which may be never: it needs a
// goroutine of its own, and out a reader. Further calls return at once.
//
// https://learn.microsoft.com/windows/console/closepseudoconsole
func (c *Console) Close() error {
	c.mu.Lock()
	h := c.handle
	c.handle = 0
	c.mu.Unlock()
	if h != 0 {
		c.kernel.CloseConsole(h)
	}
	return nil
}

// checkSize refuses the sizes that the console host answers with E_INVALIDARG.
func checkSize(width, height uint16) error {
	if width == 0 || width > math.MaxInt16 || height == 0 || height > math.MaxInt16 {
		return fmt.Errorf("size is %d by %d, want 1 to %d each", width, height, math.MaxInt16)
	}
	return nil
}
