package task

import (
	"errors"
	"testing"

	"github.com/containerd/errdefs"
)

// TestTableIsComplete walks every pair: each leads somewhere or is refused with a class.
func TestTableIsComplete(t *testing.T) {
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

func TestDeletedIsTheEnd(t *testing.T) {
	for op := range ops {
		if _, err := Deleted.next(op); err == nil {
			t.Errorf("%s leads out of deleted", op)
		}
	}
}

func TestRefusalsCarryContainerdsClass(t *testing.T) {
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
