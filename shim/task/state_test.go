package task

import (
	"errors"
	"testing"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
)

func TestTable_EachPair_HasARule(t *testing.T) {
	for s := range states {
		for op := range ops {
			r := table[s][op]
			if r.refuse == nil && r.to == Created && s != Created {
				t.Errorf("%s in %s has no rule", op, s)
			}
			if r.refuse != nil && r.to != Created {
				t.Errorf("%s in %s is both refused and allowed", op, s)
			}
		}
	}
}

func TestTable_Deleted_AllowsNothing(t *testing.T) {
	for op := range ops {
		if _, err := Deleted.next(op); err == nil {
			t.Errorf("%s leads out of deleted", op)
		}
	}
}

func TestTable_Refusal_HasContainerdsClass(t *testing.T) {
	for _, c := range []struct {
		in    State
		op    Op
		class error
	}{
		{Running, Start, errdefs.ErrFailedPrecondition},
		{Stopped, Start, errdefs.ErrFailedPrecondition},
		{Running, Delete, errdefs.ErrFailedPrecondition},
		{Stopped, Kill, errdefs.ErrNotFound},
		{Created, Exec, errdefs.ErrFailedPrecondition},
		{Stopped, Exec, errdefs.ErrFailedPrecondition},
		{Paused, Exec, errdefs.ErrFailedPrecondition},
		{Paused, Pause, errdefs.ErrFailedPrecondition},
		{Running, Resume, errdefs.ErrFailedPrecondition},
		{Stopped, Update, errdefs.ErrFailedPrecondition},
	} {
		if _, err := c.in.next(c.op); !errors.Is(err, c.class) {
			t.Errorf("%s in %s: %v, want %v", c.op, c.in, err, c.class)
		}
	}
}

// unwatched is a container that is not used.
type unwatched struct{ container.Container }

func (unwatched) Watch(func(container.Notice)) {}

// TestProcess_StepRefusedByTable_ExitIsLost: a bug in the states does not end the shim, which has other tasks, and clients
// get an exit.
func TestProcess_StepRefusedByTable_ExitIsLost(t *testing.T) {
	var exits, reports int
	tk := New(Config{
		ID: "c", Container: unwatched{},
		Emit: func(e any) {
			if _, ok := e.(*events.TaskExit); ok {
				exits++
			}
		},
		Report: func(string, error) { reports++ },
		Bounds: Bounds{Terminate: time.Second, Pause: time.Second},
	}, nil, nil, Stdio{})
	p := tk.Init // Created: it cannot have exited
	p.advance(Exited, func(s *Status) { s.Exit = 7 }, tk.emitExit(p))
	if s := p.Status(); s.State != Stopped || s.Exit != 7 || s.Reason != ReasonLost {
		t.Errorf("%+v, want stopped with 7, lost", s)
	}
	if exits != 1 || reports != 1 {
		t.Errorf("%d exits and %d reports, want one of each", exits, reports)
	}

	p.status.State = Deleted
	p.advance(Exited, func(s *Status) { s.Exit = 7 }, tk.emitExit(p))
	if s := p.Status(); s.State != Deleted || exits != 1 || reports != 2 {
		t.Errorf("state %s, %d exits, %d reports; want deleted, 1, 2", s.State, exits, reports)
	}
}
