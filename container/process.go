package container

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/jobobject"
)

// Process is one process of a container, prepared but not yet running. Start is called once, and before all others but
// Close.
type Process interface {
	// Start launches the process and returns its id.
	Start(ctx context.Context) (pid uint32, err error)
	// Wait returns the exit status once the process has ended. It is called once.
	Wait(ctx context.Context) (status uint32, err error)
	// Signal asks the process to end, or ends it when sig is SIGKILL. It does not wait for the end. That the process has
	// ended is no error.
	Signal(ctx context.Context, sig uint32) error
	// Resize sets the size of the process's console, in characters.
	Resize(ctx context.Context, width, height uint32) error
	// Close gives back what the process holds. It may be called again.
	Close() error
}

// Streams are where the standard streams of one process lead. They are used by the process's Start alone, before anything
// is carried.
type Streams interface {
	// Wanted tells which streams have another end.
	Wanted() (stdin, stdout, stderr bool)
	// Pipes makes a pipe for each wanted stream and returns the process's ends, nil for the others. They stay the
	// streams'; the process inherits them.
	Pipes() (stdin, stdout, stderr *os.File, err error)
	// Use carries streams whose process's ends are somewhere else: those of a console, or of a process in another
	// container. They are the streams' from then on. Nil is none. Closing stdin is to end the process's input.
	Use(stdin io.WriteCloser, stdout, stderr io.ReadCloser)
}

// The signals that every container knows, by containerd's numbers.
const (
	SIGKILL = 9
	SIGTERM = 15
)

// Killed is the exit status of what SIGKILL ended: 128 + 9, as on every other platform of containerd.
const Killed = 128 + SIGKILL

// consoleEvents are the console control events by the number that containerd sends for a signal, as the reference shim
// reads them. SIGTERM is the shutdown event.
//
// https://learn.microsoft.com/windows/console/handlerroutine
var consoleEvents = map[uint32]jobobject.ConsoleEvent{
	0: jobobject.CtrlC, 1: jobobject.CtrlBreak, 2: jobobject.CtrlClose, 5: jobobject.CtrlLogoff,
	6: jobobject.CtrlShutdown, SIGTERM: jobobject.CtrlShutdown,
}

// ConsoleEvent is the console control event that a signal other than SIGKILL stands for.
func ConsoleEvent(sig uint32) (jobobject.ConsoleEvent, error) {
	event, ok := consoleEvents[sig]
	if !ok {
		return 0, fmt.Errorf("signal %d is unknown on Windows (0, 1, 2, 5, 6, 9 and 15 are known): %w", sig, errdefs.ErrInvalidArgument)
	}
	return event, nil
}
