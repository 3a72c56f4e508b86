package task_test

import (
	"bufio"
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/shim/task"
)

// documented reads docs/states.md: the next state or the refusal of each operation, by state.
func documented(t *testing.T) map[string]map[string]string {
	t.Helper()
	file, err := os.Open("../../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var states []string
	table := map[string]map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		cells := strings.Split(lines.Text(), "|")
		if len(cells) < 3 || strings.HasPrefix(cells[1], "---") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " *")
		}
		if states == nil {
			states = cells[2 : len(cells)-1]
			continue
		}
		row := map[string]string{}
		for i, s := range states {
			row[s] = cells[2+i]
		}
		table[cells[1]] = row
	}
	return table
}

// operations are the requests. The program ignores the signal.
var operations = map[string]func(*testing.T, *world, *task.Task) error{
	"start": func(_ *testing.T, _ *world, tk *task.Task) error {
		_, err := tk.Init.Start(context.Background())
		return err
	},
	"kill": func(_ *testing.T, _ *world, tk *task.Task) error { return tk.Init.Kill(1) },
	"exec": func(_ *testing.T, w *world, tk *task.Task) error {
		return tk.Exec("e", w.program(), streams{}, task.Stdio{})
	},
	"resize": func(_ *testing.T, _ *world, tk *task.Task) error { return tk.Init.Resize(context.Background(), 80, 25) },
	"pause":  func(t *testing.T, _ *world, tk *task.Task) error { return tk.Pause(t.Context()) },
	"resume": func(t *testing.T, _ *world, tk *task.Task) error { return tk.Resume(t.Context()) },
	"update": func(_ *testing.T, _ *world, tk *task.Task) error { return tk.CanUpdate() },
	"delete": func(t *testing.T, _ *world, tk *task.Task) error { _, err := tk.Delete(t.Context(), ""); return err },
}

// reach brings a new task into a state. finish ends what keeps it there.
func reach(t *testing.T, w *world, state string) (tk *task.Task, finish func()) {
	t.Helper()
	p := w.program()
	tk = task.New(task.Config{ID: "c", Container: w, Emit: w.emit, Report: func(string, error) {}},
		p, streams{}, task.Stdio{Terminal: true})
	finish = func() {}
	switch state {
	case "created":
		return tk, finish
	case "starting":
		p.slow = make(chan struct{})
		go func() { _, _ = tk.Init.Start(context.Background()) }() // another test checks the result
		synctest.Wait()
		return tk, func() { close(p.slow) }
	}
	start(t, tk.Init)
	switch state {
	case "paused":
		if err := tk.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
	case "stopped", "deleted":
		p.end(0)
		<-tk.Init.Done()
	}
	if state == "deleted" {
		remove(t, tk, "")
	}
	return tk, finish
}

func TestTask_EachOperationInEachState_AsDocumented(t *testing.T) {
	table := documented(t)
	pairs := 0
	for op, call := range operations {
		for state, want := range table[op] {
			pairs++
			t.Run(op+" in "+state, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { pair(t, state, want, call) })
			})
		}
	}
	if pairs != 8*6 {
		t.Errorf("%d pairs were tried, want eight operations in six states", pairs)
	}
}

func pair(t *testing.T, state, want string, call func(*testing.T, *world, *task.Task) error) {
	w := &world{}
	tk, finish := reach(t, w, state)
	answer := make(chan error, 1)
	go func() { answer <- call(t, w, tk) }()
	synctest.Wait()
	if now := tk.Init.Status().State.String(); state == "starting" && now != state {
		t.Errorf("it is %s, want starting until the launch", now)
	}
	finish()
	err := <-answer
	synctest.Wait()
	switch got := tk.Init.Status().State.String(); {
	case want == "failed precondition" && !errdefs.IsFailedPrecondition(err), want == "not found" && !errdefs.IsNotFound(err):
		t.Errorf("answer %v, want %s", err, want)
	case want == "failed precondition", want == "not found":
	case err != nil:
		t.Errorf("answer %v, want none", err)
	case want == "starting" && got != "running": // the launch is over by the time of the answer
		t.Errorf("it is %s, want running", got)
	case want != "starting" && got != want:
		t.Errorf("it is %s, want %s", got, want)
	}
	for _, p := range w.programs {
		p.end(0)
	}
}
