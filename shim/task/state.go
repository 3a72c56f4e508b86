package task

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// State is where a process stands. The names are those of containerd's Task API.
type State uint8

// The states. Starting is Created to a client: the program is being launched. An exec is Paused whenever it
// runs and its task's init is Paused; see [Process.Status].
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

// Live tells whether there is a program: it runs, or it is paused.
func (s State) Live() bool { return s == Running || s == Paused }

// Op is what is asked of a process, by a client or by the process itself.
type Op uint8

// The operations. Launched, Failed and Exited are the process's own doing.
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

// rule is what an operation does in a state: it leads to a state, or it is refused with a class of
// containerd's errors.
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

// errImpossible marks what no caller can ask for: the goroutine of run does each of its steps once.
var errImpossible = fmt.Errorf("impossible: %w", errdefs.ErrInternal)

// table is the whole machine; docs/states.md shows it. A kill of what has stopped is NotFound, as containerd's runc
// shim answers.
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

// next is the state that op leads to from s, or the refusal.
func (s State) next(op Op) (State, error) {
	r := table[s][op]
	if r.refuse != nil {
		return s, fmt.Errorf("cannot %s in state %s: %w", op, s, r.refuse)
	}
	return r.to, nil
}
