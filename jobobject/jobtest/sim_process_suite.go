package jobtest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

// member opens a member that the test's end closes.
func member(t *testing.T, j *jobobject.Job, pid uint32) *jobobject.Member {
	t.Helper()
	m, err := j.Member(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// testMemberIdentity: what never changes of a process is told of each as the list of the machine tells it.
func testMemberIdentity(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	tree := b.startTree(t, j, 2)
	all, err := jobobject.SystemProcesses(b.Kernel, nil)
	b.lacks(t, err, "list of all processes")
	name := b.Application[strings.LastIndexAny(b.Application, `\/`)+1:]
	for _, pid := range tree.pids {
		m := member(t, j, pid)
		i := slices.IndexFunc(all, func(p jobobject.SystemProcess) bool { return p.Pid == pid })
		if i < 0 || m.Pid() != pid {
			t.Fatalf("process %d is not on the list of all", pid)
		}
		if image, err := m.Image(); err != nil || !strings.EqualFold(image, name) || !strings.EqualFold(all[i].Image, name) {
			t.Errorf("image of %d = %q, %v, and %q on the list, want %q", pid, image, err, all[i].Image, name)
		}
		if times, err := m.Times(); err != nil || times.Created.IsZero() || !times.Created.Equal(all[i].Times.Created) {
			t.Errorf("%d was created at %v, %v, and %v on the list", pid, times.Created, err, all[i].Times.Created)
		}
		if parent, err := m.Parent(); err != nil || parent != all[i].Parent {
			t.Errorf("parent of %d = %d, %v, and %d on the list", pid, parent, err, all[i].Parent)
		}
		if all[i].Threads == 0 {
			t.Errorf("process %d has no threads", pid)
		}
	}
}

// testMemberMemory: a living process has memory, an ended one none.
func testMemberMemory(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	tree := b.startTree(t, j, 1)
	m := member(t, j, tree.first.Pid())
	living, err := m.Memory()
	if err != nil || living.WorkingSet == 0 || living.Commit == 0 || living.PrivateWorkingSet > living.WorkingSet {
		t.Errorf("memory = %+v, %v", living, err)
	}
	if living.PrivateKnown == (living.PrivateWorkingSet == 0) {
		t.Errorf("private working set = %d, known: %v", living.PrivateWorkingSet, living.PrivateKnown)
	}
	tree.stdin.Close()
	wait(t, tree.first)
	if exited, err := m.Exited(); err != nil || !exited {
		t.Errorf("exited = %v, %v, want it", exited, err)
	}
	if ended, err := m.Memory(); err == nil && (ended.WorkingSet != 0 || ended.PrivateWorkingSet != 0) {
		t.Errorf("memory of an ended process = %+v", ended)
	}
}

// testMemberHandles: a process that reads a pipe has it open.
func testMemberHandles(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	m := member(t, j, b.startTree(t, j, 1).first.Pid())
	n, err := m.Handles()
	b.lacks(t, err, "count of handles")
	if n == 0 {
		b.skip(t, "a count of handles", "it says 0 of a process that has some")
	}
}

// testMemberStranger: only members can be opened as such.
func testMemberStranger(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	other := b.create(t, jobobject.Options{KillOnClose: true})
	pid := b.startTree(t, other, 1).first.Pid()
	if _, err := j.Member(pid); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("member of another job: %v, want ErrNotExist", err)
	}
	if _, err := j.Member(0xFFFFFFF0); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("unused pid: %v, want ErrNotExist", err)
	}
}
