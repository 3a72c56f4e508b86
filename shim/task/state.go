package task

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// State is the state of a process. The names are those of containerd's Task API.
type State uint8

// The states. A client sees Starting, the launch of the program, as Created. An exec that runs is Paused while its init is;
// see [Process.Status].
const (
	Created State = iota
	Starting
	Running
	Paused
	Stopped
	Deleted
	states
)

func (s State) String() string {
	return [...]string{"created", "starting", "running", "paused", "stopped", "deleted"}[s]
}

// Live reports whether the program exists: it runs, or it is paused.
func (s State) Live() bool { return s == Running || s == Paused }

// Op is an operation on a process.
type Op uint8

// The operations. Launched, Failed and Exited are events of the process, the others are requests.
const (
	Start Op = iota
	Launched
	Failed
	Exited
	Kill
	Exec
	Resize
	Pause
	Resume
	Update
	Delete
	ops
)

func (o Op) String() string {
	return [...]string{"start", "launched", "failed", "exited", "kill", "exec", "resize", "pause", "resume", "update", "delete"}[o]
}

// rule is the result of an operation in a state: the next state, or a refusal with a class of containerd's errors.
type rule struct {
	to     State
	refuse error
}

func to(s State) rule       { return rule{to: s} }
func refuse(err error) rule { return rule{refuse: err} }
func stay(s State) rule     { return to(s) }
func never() rule           { return refuse(errImpossible) }
func precondition() rule    { return refuse(errdefs.ErrFailedPrecondition) }
func notFound() rule        { return refuse(errdefs.ErrNotFound) }

// errImpossible marks events that cannot happen: the goroutine of run takes each of its steps once.
var errImpossible = fmt.Errorf("impossible: %w", errdefs.ErrInternal)

// table is the state machine; docs/states.md shows it. A kill of a stopped process is NotFound, as in containerd's shim for
// runc.
var table = [states][ops]rule{
	Created: {
		Start: to(Starting), Launched: never(), Failed: never(), Exited: never(),
		Kill: to(Stopped), Exec: precondition(), Resize: stay(Created),
		Pause: precondition(), Resume: precondition(), Update: stay(Created), Delete: to(Deleted),
	},
	Starting: {
		Start: precondition(), Launched: to(Running), Failed: to(Stopped), Exited: never(),
		Kill: stay(Starting), Exec: precondition(), Resize: stay(Starting),
		Pause: precondition(), Resume: precondition(), Update: stay(Starting), Delete: precondition(),
	},
	Running: {
		Start: precondition(), Launched: never(), Failed: never(), Exited: to(Stopped),
		Kill: stay(Running), Exec: stay(Running), Resize: stay(Running),
		Pause: to(Paused), Resume: precondition(), Update: stay(Running), Delete: precondition(),
	},
	Paused: {
		Start: precondition(), Launched: never(), Failed: never(), Exited: to(Stopped),
		Kill: stay(Paused), Exec: precondition(), Resize: stay(Paused),
		Pause: precondition(), Resume: to(Running), Update: stay(Paused), Delete: precondition(),
	},
	Stopped: {
		Start: precondition(), Launched: never(), Failed: never(), Exited: never(),
		Kill: notFound(), Exec: precondition(), Resize: stay(Stopped),
		Pause: precondition(), Resume: precondition(), Update: precondition(), Delete: to(Deleted),
	},
	Deleted: {
		Start: notFound(), Launched: never(), Failed: never(), Exited: never(),
		Kill: notFound(), Exec: notFound(), Resize: notFound(),
		Pause: notFound(), Resume: notFound(), Update: notFound(), Delete: notFound(),
	},
}

// next returns the state after op, or the refusal.
func (s State) next(op Op) (State, error) {
	r := table[s][op]
	if r.refuse != nil {
		return s, fmt.Errorf("cannot %s in state %s: %w", op, s, r.refuse)
	}
	return r.to, nil
}
