package container

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/jobobject"
)

// Process is one process of a container. Start is called once, before all other methods except Close.
type Process interface {
	// Start starts the process and returns its pid.
	Start(ctx context.Context) (pid uint32, err error)
	// Wait waits for the exit of the process and returns its status. It is called once.
	Wait(ctx context.Context) (status uint32, err error)
	// Signal terminates the process if sig is SIGKILL, or else sends the console control event of the signal. It does not
	// wait for the exit. A process that has exited is no error.
	Signal(ctx context.Context, sig uint32) error
	// Resize sets the size of the console, in characters.
	Resize(ctx context.Context, width, height uint32) error
	// Close releases the handles of the process. It may be called again.
	Close() error
}

// Streams connects the standard streams of one process. Only the Start of the process uses it, before data is copied.
type Streams interface {
	// Wanted reports which streams are connected.
	Wanted() (stdin, stdout, stderr bool)
	// Pipes makes a pipe for each wanted stream and returns the ends that the process inherits, or nil. Streams closes
	// them.
	Pipes() (stdin, stdout, stderr *os.File, err error)
	// Use takes our ends of the streams of a console or of the compute service, or nil, and closes them. Closing stdin
	// ends the input of the process.
	Use(stdin io.WriteCloser, stdout, stderr io.ReadCloser)
}

// The signals that do not depend on the kind of container, with containerd's numbers.
const (
	SIGKILL = 9
	SIGTERM = 15
)

// Killed is the exit status of a process that SIGKILL ended: 128 + 9, as on other platforms of containerd.
const Killed = 128 + SIGKILL

// consoleEvents are the console control events by containerd's number of the signal, as in hcsshim. SIGTERM is the
// shutdown event.
//
// https://learn.microsoft.com/windows/console/handlerroutine
var consoleEvents = map[uint32]jobobject.ConsoleEvent{
	0: jobobject.CtrlC, 1: jobobject.CtrlBreak, 2: jobobject.CtrlClose, 5: jobobject.CtrlLogoff,
	6: jobobject.CtrlShutdown, SIGTERM: jobobject.CtrlShutdown,
}

// ConsoleEvent returns the console control event of a signal other than SIGKILL. An unknown signal is
// [errdefs.ErrInvalidArgument].
func ConsoleEvent(sig uint32) (jobobject.ConsoleEvent, error) {
	event, ok := consoleEvents[sig]
	if !ok {
		return 0, fmt.Errorf("signal %d is unknown on Windows; use 0, 1, 2, 5, 6, 9 or 15: %w", sig, errdefs.ErrInvalidArgument)
	}
	return event, nil
}
