package command_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// at makes a change before a list of the machine's jobs, which each list of `silo events` begins with.
func (w *world) at(changes map[int]func()) {
	names, n := w.app.Node.Names, 0
	w.app.Node.Names = func() ([]string, error) {
		n++
		if change := changes[n]; change != nil {
			change()
		}
		return names()
	}
}

// eventWords are the events without their times.
func (w *world) eventWords(t *testing.T, lists int) (list []string) {
	t.Helper()
	if code := w.silo(t, "events", "--count", fmt.Sprint(lists), "--interval", "1ms", "--format", "{{.Event}} {{.Container}} {{.Pid}}"); code != 0 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	for line := range strings.Lines(w.Stdout.String()) {
		list = append(list, strings.TrimSpace(line))
	}
	return list
}

func TestEvents_NothingChanges_ProcessesAreListedOnce(t *testing.T) {
	w := newWorld(t)
	w.container(t, "default/web")
	w.container(t, "default/db")
	w.ResetCalls()
	if got := w.eventWords(t, 5); len(got) != 0 {
		t.Errorf("%q, want no events", got)
	}
	if n := w.Calls("SystemProcesses"); n != 2 { // before and after the lists of the jobs
		t.Errorf("the processes of the machine were listed %d times, want 2 for 5 lists", n)
	}
}

func TestEvents_Changes_AreAnnounced(t *testing.T) {
	w := newWorld(t)
	_, init := w.container(t, "default/web")
	var child, next *jobtest.Proc
	w.at(map[int]func(){
		2: func() { child = w.place(t, `Global\silo/default/web`, "child.exe") },
		3: func() { child.Exit(0) },
		4: func() { _, next = w.container(t, "default/db") },
		5: func() { // one ends while another starts: the number of members stays
			init.Exit(0)
			child2 := w.place(t, `Global\silo/default/web`, "child.exe")
			init = child2
		},
	})
	first := init.Pid()
	got := strings.Join(w.eventWords(t, 6), "\n")
	want := fmt.Sprintf("process-started default/web %[1]d\nprocess-ended default/web %[1]d\ncontainer-appeared default/db 0\nprocess-started default/db %d\n"+
		"process-started default/web %d\nprocess-ended default/web %d", child.Pid(), next.Pid(), init.Pid(), first)
	if got != want {
		t.Errorf("events:\n%s\nwant:\n%s", got, want)
	}
}
