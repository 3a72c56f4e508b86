package task

import (
	"context"
	"time"
)

// IO carries a process's standard streams to and from the client.
type IO interface {
	// Start begins to carry. It is called once the process runs.
	Start()
	// CloseStdin ends the process's input after what the client has sent.
	CloseStdin()
	// Drain returns when all output has been delivered, or with ctx. It returns held when the process has ended but
	// another that it started keeps its output open: that goes on to be delivered until Close.
	Drain(ctx context.Context) (held bool, err error)
	// Close ends the streams. It may be called again.
	Close() error
}

// Bounds are the longest times that a task waits for others. No wait is without one.
type Bounds struct {
	// Drain bounds the delivery of the output after the process has ended.
	Drain time.Duration
	// Terminate bounds the end of the processes that init left behind. It is the container's own bound when 0.
	Terminate time.Duration
	// Pause bounds pausing and resuming.
	Pause time.Duration
}

// DefaultBounds are the bounds of the shim. A reader that stalls for less than Drain loses nothing.
var DefaultBounds = Bounds{Drain: 30 * time.Second, Pause: 10 * time.Second}
