package task_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/shim/task"
)

func TestTask_Exit_HasItsReason(t *testing.T) {
	memory, limit := container.Notice{Limit: container.MemoryLimit}, container.Notice{Limit: container.OtherLimit, Pid: 42}
	for _, c := range []struct {
		name   string
		notice *container.Notice
		kill   bool
		exit   uint32
		lost   error
		want   task.Reason
	}{
		{name: "by itself", want: task.ReasonExited},
		{name: "with the status of a kill", exit: container.Killed, want: task.ReasonExited},
		{name: "killed", kill: true, want: task.ReasonKilled},
		{name: "killed when memory was short", kill: true, notice: &memory, want: task.ReasonKilled},
		{name: "out of memory", notice: &memory, exit: 2, want: task.ReasonOutOfMemory},
		{name: "memory was short, and it coped", notice: &memory, want: task.ReasonExited},
		{name: "limit", notice: &limit, exit: 1816, want: task.ReasonLimit},
		{name: "lost", lost: errors.New("no answer"), want: task.ReasonLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{}
			p := w.program()
			p.lost = c.lost
			tk := w.task(t, p, streams{})
			start(t, tk.Init)
			if c.notice != nil {
				tk.Notice(*c.notice)
			}
			if c.kill {
				if err := tk.Init.Kill(container.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			p.end(c.exit)
			if s, err := tk.Init.Wait(t.Context()); err != nil || s.Reason != c.want {
				t.Errorf("%+v, %v; want %s", s, err, c.want)
			}
		})
	}
}

// TestTask_MemoryRefused_OOMEventOnceASecond: no event comes after the exit.
func TestTask_MemoryRefused_OOMEventOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		init := w.program()
		tk := w.task(t, init, streams{})
		refused := container.Notice{Limit: container.MemoryLimit, Pid: 7}
		start(t, tk.Init)
		for range 3 {
			tk.Notice(refused)
		}
		time.Sleep(time.Second)
		tk.Notice(refused)
		time.Sleep(time.Second)
		init.end(1)
		<-tk.Init.Done()
		tk.Notice(refused)
		w.want(t, "start", "oom", "oom", "exit c")
	})
}

func TestTask_NoticeOfExec_IsTheExecsReason(t *testing.T) {
	w := &world{}
	init := w.program()
	tk := w.task(t, init, streams{})
	start(t, tk.Init)
	e, program := w.exec(t, tk, "e")
	tk.Notice(container.Notice{Limit: container.MemoryLimit, Pid: e.Status().Pid})
	program.end(3)
	<-e.Done()
	init.end(3)
	<-tk.Init.Done()
	if x, i := e.Status().Reason, tk.Init.Status().Reason; x != task.ReasonOutOfMemory || i != task.ReasonExited {
		t.Errorf("the exec ended %s and init %s, want out of memory and exited", x, i)
	}
}

func TestConfig_Exited_GetsTheStatusOnce(t *testing.T) {
	w := &world{}
	p := w.program()
	var got []task.Status
	tk := task.New(task.Config{
		ID: "c", Container: w, Emit: w.emit, Report: func(string, error) {},
		Exited: func(_ *task.Process, s task.Status) { got = append(got, s) },
	}, p, streams{}, task.Stdio{})
	start(t, tk.Init)
	p.end(5)
	<-tk.Init.Done()
	if len(got) != 1 || got[0] != tk.Init.Status() {
		t.Errorf("got %+v, want %+v once", got, tk.Init.Status())
	}
}
