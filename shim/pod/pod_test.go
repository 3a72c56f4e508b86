package pod

import (
	"context"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/task"
)

// streams are an IO without streams.
type streams struct{}

func (streams) Start()                              {}
func (streams) CloseStdin()                         {}
func (streams) Drain(context.Context) (bool, error) { return false, nil }
func (streams) Close() error                        { return nil }

// newTask makes a task in a placeholder.
func newTask(id string) *task.Task {
	p := NewPlaceholder()
	return task.New(task.Config{ID: id, Container: p, Emit: func(any) {}, Report: func(string, error) {}},
		p.Process(&plan.Process{}, nil), streams{}, task.Stdio{})
}

func TestSlot_SecondPod_AlreadyExists(t *testing.T) {
	var s Slot
	first, second := newPod("p", t.TempDir(), false, nil), newPod("q", t.TempDir(), false, nil)
	if err := s.Set(first); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(second); !errdefs.IsAlreadyExists(err) {
		t.Errorf("a second pod: %v, want already exists", err)
	}
	s.Clear("q")
	if s.Get() != first || s.Of("p") != first || s.Of("q") != nil {
		t.Errorf("the pod is %v, want the first", s.Get())
	}
	s.Clear("p")
	if err := s.Set(second); err != nil {
		t.Errorf("after Clear: %v", err)
	}
}

func TestPod_AddAfterKill_FailedPrecondition(t *testing.T) {
	p := newPod("p", t.TempDir(), false, nil)
	sandbox := newTask("p")
	if err := p.Add(sandbox); err != nil {
		t.Fatal(err)
	}
	if err := p.CheckRunning(); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("before the start: %v, want failed precondition", err)
	}
	if _, err := sandbox.Init.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.CheckRunning(); err != nil {
		t.Error(err)
	}
	if err := p.Add(newTask("a")); err != nil || len(p.Workloads()) != 1 {
		t.Errorf("add: %v, %d workloads", err, len(p.Workloads()))
	}
	if err := p.Kill(9); err != nil {
		t.Error(err)
	}
	if err := p.Add(newTask("b")); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("add after the kill: %v, want failed precondition", err)
	}
	for _, one := range append(p.Workloads(), sandbox) {
		if s, err := one.Init.Wait(t.Context()); err != nil || s.Exit != 137 {
			t.Errorf("%s: %+v, %v; want 137", one.ID, s, err)
		}
	}
}
