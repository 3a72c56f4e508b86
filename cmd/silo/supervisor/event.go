package supervisor

import (
	"context"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/container"
)

// TimedOut is the exit code of a program whose time was up, as that of timeout(1). One that was killed has
// [container.Killed].
const TimedOut uint32 = 124

// Reason is why a run is over.
type Reason string

// The reasons.
const (
	Exited     Reason = "exited"
	Stopped    Reason = "stopped" // ctx ended and the program did after a signal
	Forced     Reason = "killed"  // ctx ended and the program did not, or another process terminated it with [container.Killed]
	Timeout    Reason = "timeout"
	Memory     Reason = "memory"      // it ended after an allocation was refused by a limit
	NotStarted Reason = "not started" // the program could not be started
)

// Event is one step of a run: a start, or an end or a failed start that the policy answers with another start.
type Event struct {
	Pid      uint32 // of the program that was started; 0 otherwise
	Restarts int
	Code     uint32 // at its end
	Reason   Reason // at its end
	Err      error  // why it was not started
	Pause    time.Duration
}

// Result is how a run ended. NotStarted is about the latest start.
type Result struct {
	Code     uint32
	Reason   Reason
	Restarts int
}

// Stop is the cause of the end of a run's context that stops the program in another way than [Options] say. A nil field
// changes nothing.
type Stop struct {
	Signals []Signal       `json:"signals,omitempty"`
	Grace   *time.Duration `json:"grace_ns,omitempty"`
	Err     error          `json:"-"` // why the others could not be read, to warn of
}

// Check returns an error for a signal that is none, and for a negative grace period.
func (s *Stop) Check() error {
	for _, signal := range s.Signals {
		if _, known := signalNames[signal]; !known {
			return fmt.Errorf("signal %v is unknown", signal)
		}
	}
	if s.Grace != nil && *s.Grace < 0 {
		return fmt.Errorf("the grace period %v is negative", *s.Grace)
	}
	return nil
}

// Error implements error.
func (*Stop) Error() string { return "a stop was requested" }

// Unwrap returns the error of a context that was canceled.
func (*Stop) Unwrap() error { return context.Canceled }

// exit is how a program has ended.
type exit struct {
	code   uint32
	reason Reason
	err    error // of the wait
}

// byItself is the end of a program that the run has not stopped. refused reports that it was denied memory.
func (e exit) byItself(refused bool) exit {
	switch {
	case e.code == container.Killed:
		e.reason = Forced
	case e.code != 0 && refused:
		e.reason = Memory
	default:
		e.reason = Exited
	}
	return e
}
