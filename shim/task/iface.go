package task

import (
	"context"
	"time"
)

// Container is the room that a task's processes live in. shim/host has the kinds.
type Container interface {
	// Pids lists every process inside, whoever started it.
	Pids() ([]uint32, error)
	// Terminate ends every process and returns when none is left, or with ctx.
	// What it ends reports status as its exit status. It may be called again.
	Terminate(ctx context.Context, status uint32) error
	// Close gives back what the container holds. It may be called again.
	Close() error
}

// Pauser is a [Container] that can be paused. The task calls one of the two at a time.
type Pauser interface {
	// Pause stops every process, and those that come later, and returns when none runs, or with ctx.
	// After a failure all of them run.
	Pause(ctx context.Context) error
	// Resume lets every process go on.
	Resume(ctx context.Context) error
}

// Stopper is a [Container] whose processes can all be asked to end.
type Stopper interface {
	// Stop sends a signal other than SIGKILL to every process and returns when none is left, or with ctx. None starts
	// from then on. It fails if it could not ask one of them; that some have not ended is no error.
	Stop(ctx context.Context, sig uint32) error
}

// Program is one program in a container, prepared but not yet running.
type Program interface {
	// Start launches the program and returns its process id.
	Start() (pid uint32, err error)
	// Wait returns the exit status once the program has ended. It is called once, after Start.
	Wait(ctx context.Context) (status uint32, err error)
	// Signal asks the running program to stop, or ends it when sig is SIGKILL. It does not wait. A program that
	// has ended is no error.
	Signal(sig uint32) error
	// Resize sets the size of the program's console.
	Resize(width, height uint32) error
	// Close gives back what the program holds. It may be called again.
	Close() error
}

// IO carries a program's standard streams to and from the client.
type IO interface {
	// Start begins to carry. It is called once the program runs.
	Start()
	// CloseStdin ends the program's input after what the client has sent.
	CloseStdin()
	// Drain returns when all output has been delivered, or with ctx. It returns held when the program has ended but
	// another that it started keeps its output open: that goes on to be delivered until Close.
	Drain(ctx context.Context) (held bool, err error)
	// Close ends the streams. It may be called again.
	Close() error
}

// The numbers by which containerd asks for an end: without appeal, and in order.
const (
	SIGKILL = 9
	SIGTERM = 15
)

// Killed is the exit status of what SIGKILL ended: 128 + 9, as on every other platform of containerd.
const Killed = 128 + SIGKILL

// Bounds are the longest times that a task waits for others. No wait is without one.
type Bounds struct {
	// Drain bounds the delivery of the output after the program has ended.
	Drain time.Duration
	// Terminate bounds the end of the processes that init left behind.
	Terminate time.Duration
	// Pause bounds pausing and resuming.
	Pause time.Duration
}

// DefaultBounds are the bounds of the shim. A reader that stalls for less than Drain loses nothing.
var DefaultBounds = Bounds{Drain: 30 * time.Second, Terminate: 30 * time.Second, Pause: 10 * time.Second}
