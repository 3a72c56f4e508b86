package jobobject

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"
)

// ConsoleEvent is a console control event: what Windows sends to a program in the
// place of a signal.
//
// https://learn.microsoft.com/windows/console/handlerroutine
type ConsoleEvent uint32

const (
	CtrlC        ConsoleEvent = 0 // CTRL_C_EVENT
	CtrlBreak    ConsoleEvent = 1 // CTRL_BREAK_EVENT
	CtrlClose    ConsoleEvent = 2 // CTRL_CLOSE_EVENT: the console is being closed
	CtrlLogoff   ConsoleEvent = 5 // CTRL_LOGOFF_EVENT
	CtrlShutdown ConsoleEvent = 6 // CTRL_SHUTDOWN_EVENT: the system, or the container, is being shut down
)

func (e ConsoleEvent) String() string {
	switch e {
	case CtrlC:
		return "CTRL_C"
	case CtrlBreak:
		return "CTRL_BREAK"
	case CtrlClose:
		return "CTRL_CLOSE"
	case CtrlLogoff:
		return "CTRL_LOGOFF"
	case CtrlShutdown:
		return "CTRL_SHUTDOWN"
	}
	return "console event " + strconv.FormatUint(uint64(e), 10)
}

// ConsoleOptions describe a new pseudo console.
type ConsoleOptions struct {
	Width, Height uint16 // columns and rows, 1 to 32767 each
	Kernel        Kernel // nil for [System]
}

// Console is a pseudo console: a terminal without a window, for programs that need
// a terminal. All methods are safe for concurrent use.
//
// https://learn.microsoft.com/windows/console/creating-a-pseudoconsole-session
type Console struct {
	// In takes what a user would type; Out carries what a screen would show, with
	// its escape sequences. The caller closes both, and the Console.
	In  io.WriteCloser
	Out io.ReadCloser

	kernel Kernel
	mu     sync.Mutex // guards handle against use after Close
	handle Handle     // 0 when closed
}

// NewConsole makes a pseudo console, which [ProcessOptions].Console gives to a
// process. Windows before version 1809 returns [ErrNotSupported].
//
// https://learn.microsoft.com/windows/console/createpseudoconsole
func NewConsole(o ConsoleOptions) (*Console, error) {
	const op = "create console"
	if err := checkSize(o.Width, o.Height); err != nil {
		return nil, fail(op, "", err)
	}
	k := kernelOr(o.Kernel)
	h, in, out, err := k.CreateConsole(o.Width, o.Height)
	if err != nil {
		return nil, fail(op, "", err)
	}
	return &Console{In: in, Out: out, kernel: k, handle: h}, nil
}

// Handle is the console's handle, which a [Kernel] needs to start a process on it.
// It is 0 after Close.
func (c *Console) Handle() Handle {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handle
}

// Resize sets the size in columns and rows, 1 to 32767 each. After Close it returns
// [ErrClosed].
//
// https://learn.microsoft.com/windows/console/resizepseudoconsole
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

// Close sends [CtrlClose] to the programs on the console and ends those that remain.
// Out then ends. Windows before build 26100 returns from Close only when the last
// of these programs has ended and Out was read to its end. So call Close in a
// goroutine, and read Out meanwhile. Further calls return at once.
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

// checkSize refuses the sizes for which the console host returns E_INVALIDARG.
func checkSize(width, height uint16) error {
	if width == 0 || width > math.MaxInt16 || height == 0 || height > math.MaxInt16 {
		return fmt.Errorf("size is %d by %d, want 1 to %d each", width, height, math.MaxInt16)
	}
	return nil
}
