package task_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/shim/task"
)

// hangingIO is streams of which calls hang until free is closed. They ignore their context.
type hangingIO struct {
	streams
	drain, close bool
	free         chan struct{}
}

func (h hangingIO) Drain(context.Context) (bool, error) {
	if h.drain {
		<-h.free
	}
	return false, nil
}

func (h hangingIO) Close() error {
	if h.close {
		<-h.free
	}
	return nil
}

// TestProcess_CallHangsAfterEnd_ExitAfterItsBound: a call that hangs after a process has ended delays the exit and the delete
// by the bound of that call.
func TestProcess_CallHangsAfterEnd_ExitAfterItsBound(t *testing.T) {
	for name, c := range map[string]struct {
		io          hangingIO
		program     bool
		exit, gone  time.Duration
		failedStart bool
	}{
		"drain":                   {io: hangingIO{drain: true}, exit: 31 * time.Second},
		"close of the streams":    {io: hangingIO{close: true}, exit: 30 * time.Second, gone: 30 * time.Second},
		"drain and close":         {io: hangingIO{drain: true, close: true}, exit: 61 * time.Second, gone: 30 * time.Second},
		"close of the program":    {program: true, exit: 30 * time.Second},
		"streams, failed start":   {io: hangingIO{close: true}, exit: 30 * time.Second, gone: 30 * time.Second, failedStart: true},
		"program, a failed start": {program: true, exit: 30 * time.Second, failedStart: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{}
				p := w.program()
				c.io.free = make(chan struct{})
				defer close(c.io.free)
				if c.program {
					p.closing = c.io.free
				}
				tk := task.New(task.Config{
					ID: "c", Container: w, Emit: w.emit,
					Report: func(doing string, err error) { t.Logf("%s: %v", doing, err) },
				}, p, c.io, task.Stdio{})
				began := time.Now()
				if c.failedStart {
					p.refuse = context.Canceled
					if _, err := tk.Init.Start(context.Background()); err == nil {
						t.Error("the start has succeeded")
					}
				} else {
					start(t, tk.Init)
					p.end(0)
				}
				<-tk.Init.Done()
				if took := time.Since(began); took != c.exit {
					t.Errorf("the end took %s, want %s", took, c.exit)
				}
				began = time.Now()
				remove(t, tk, "")
				if took := time.Since(began); took != c.gone {
					t.Errorf("the delete took %s, want %s", took, c.gone)
				}
				want := []string{"start", "exit c", "delete "}
				if c.failedStart {
					want = want[2:]
				}
				w.want(t, want...)
			})
		})
	}
}

// closing is streams that call a function when they are closed.
type closing struct {
	streams
	call func()
}

func (c closing) Close() error {
	c.call()
	return nil
}

// TestProcess_KillBeforeStart_StateAndEventAreAtomic: once the state of a process that never ran is Stopped, its exit event was
// emitted.
func TestProcess_KillBeforeStart_StateAndEventAreAtomic(t *testing.T) {
	w := &world{}
	var tk *task.Task
	looked := 0
	look := closing{call: func() {
		looked++
		if s := tk.Init.Status().State; s != task.Stopped {
			t.Errorf("state %s, want stopped", s)
		}
		if diff := cmp.Diff([]string{"exit c"}, w.emitted()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}}
	tk = task.New(task.Config{ID: "c", Container: w, Emit: w.emit, Report: func(string, error) {}}, w.program(), look, task.Stdio{})
	if err := tk.Init.Kill(container.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if looked == 0 {
		t.Error("the streams were not closed")
	}
}
