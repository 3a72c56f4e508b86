package task

import (
	"testing"
	"time"

	"github.com/containerd/containerd/api/events"
)

// TestProcess_StepTheTableRefuses_IsLostAndAnnounced: a bug in the states must not end the shim, which has other tasks,
// nor leave clients waiting for an exit.
func TestProcess_StepTheTableRefuses_IsLostAndAnnounced(t *testing.T) {
	var exits, reports int
	tk := New(Config{
		ID: "c",
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
