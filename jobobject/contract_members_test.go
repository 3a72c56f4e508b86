package jobobject_test

import (
	"bufio"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

func testMembers(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	if pids, err := j.Pids(); err != nil || len(pids) != 0 {
		t.Errorf("pids of an empty job = %v, %v", pids, err)
	}
	tree := e.startTree(t, j, 3)
	e.wantMembers(t, j, tree)
	if !slices.Contains(tree.pids, tree.first.Pid()) {
		t.Errorf("pids = %v, want the first process, %d, among them", tree.pids, tree.first.Pid())
	}
}

func testAssign(t *testing.T, e environment) {
	outer := e.create(t, jobobject.Options{KillOnClose: true})
	inner := e.create(t, jobobject.Options{})
	tree := e.startTree(t, outer, 1)
	if err := inner.Assign(tree.first.Pid()); err != nil {
		t.Fatal(err)
	}
	e.wantMembers(t, outer, tree)
	e.wantMembers(t, inner, tree)
}

func testAssignHandle(t *testing.T, e environment) {
	outer := e.create(t, jobobject.Options{KillOnClose: true})
	inner := e.create(t, jobobject.Options{})
	tree := e.startTree(t, outer, 1)
	for _, access := range []jobobject.ProcessAccess{jobobject.ProcessQueryLimited, jobobject.ProcessSetQuota | jobobject.ProcessTerminate} {
		h, err := e.kernel.OpenProcess(tree.first.Pid(), access)
		if err != nil {
			t.Fatal(err)
		}
		err = inner.AssignHandle(h)
		if access == jobobject.ProcessQueryLimited && !errors.Is(err, jobobject.ErrPermission) {
			t.Errorf("handle without the rights: %v, want ErrPermission", err)
		}
		if access != jobobject.ProcessQueryLimited && err != nil {
			t.Error(err)
		}
		if err := e.kernel.CloseHandle(h); err != nil {
			t.Error(err)
		}
	}
	e.wantMembers(t, outer, tree)
	e.wantMembers(t, inner, tree)
}

func testAssignUnrelated(t *testing.T, e environment) {
	a := e.create(t, jobobject.Options{KillOnClose: true})
	c := e.create(t, jobobject.Options{KillOnClose: true})
	inA, _ := e.startTree(t, a, 1), e.startTree(t, c, 1)
	if err := c.Assign(inA.first.Pid()); !errors.Is(err, jobobject.ErrPermission) {
		t.Errorf("assign the member of an unrelated job: %v, want ErrPermission", err)
	}
	p := start(t, a, e.options("exit", "0"))
	wait(t, p)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Assign(0xFFFFFFF0); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("assign an unused pid: %v, want ErrNotExist", err)
	}
}

// testNested ends the inner job and must find the outer one as it was.
func testNested(t *testing.T, e environment) {
	outer := e.create(t, jobobject.Options{KillOnClose: true})
	inner := e.create(t, jobobject.Options{})
	stays, goes := e.startTree(t, outer, 1), e.startTree(t, outer, 1)
	if err := inner.Assign(goes.first.Pid()); err != nil {
		t.Fatal(err)
	}
	if err := inner.Terminate(5); err != nil {
		t.Fatal(err)
	}
	if code := wait(t, goes.first); code != 5 {
		t.Errorf("exit code = %d, want 5", code)
	}
	if err := inner.WaitEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	pids, err := outer.Pids()
	if err != nil || slices.Contains(pids, goes.first.Pid()) || !slices.Contains(pids, stays.first.Pid()) {
		t.Errorf("pids of the outer job = %v, %v, want %d and not %d", pids, err, stays.first.Pid(), goes.first.Pid())
	}
}

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
func testMemberIdentity(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	tree := e.startTree(t, j, 2)
	all, err := jobobject.SystemProcesses(e.kernel, nil)
	e.requires(t, err, "list of all processes")
	name := e.application[strings.LastIndexAny(e.application, `\/`)+1:]
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
func testMemberMemory(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	tree := e.startTree(t, j, 1)
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
func testMemberHandles(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	m := member(t, j, e.startTree(t, j, 1).first.Pid())
	n, err := m.Handles()
	e.requires(t, err, "count of handles")
	if n == 0 {
		e.skip(t, "a count of handles", "it says 0 of a process that has some")
	}
}

// testMemberNonMember: only members can be opened as such.
func testMemberNonMember(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	other := e.create(t, jobobject.Options{KillOnClose: true})
	pid := e.startTree(t, other, 1).first.Pid()
	if _, err := j.Member(pid); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("member of another job: %v, want ErrNotExist", err)
	}
	if _, err := j.Member(0xFFFFFFF0); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("unused pid: %v, want ErrNotExist", err)
	}
}

// startListener starts a process that ends by an event with 40 and its number.
func (e environment) startListener(t *testing.T, j *jobobject.Job) *jobobject.Process {
	t.Helper()
	r, w := pipe(t)
	o := e.options("event")
	o.Stdout = w
	p := start(t, j, o)
	w.Close()
	if line, err := bufio.NewReader(r).ReadString('\n'); err != nil || strings.TrimSpace(line) != "ready" {
		t.Fatalf("first line %q, %v", line, err)
	}
	return p
}

func testMemberSignal(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	other := e.startTree(t, j, 1).first
	p := e.startListener(t, j)
	m := member(t, j, p.Pid())
	e.requires(t, m.Signal(jobobject.CtrlC), "console control events")
	if code := wait(t, p); code != 40+uint32(jobobject.CtrlC) {
		t.Errorf("exit code = %d, want %d", code, 40+uint32(jobobject.CtrlC))
	}
	if err := m.Signal(jobobject.CtrlC); !errors.Is(err, jobobject.ErrExited) {
		t.Errorf("signal after exit: %v, want ErrExited", err)
	}
	if exited, err := member(t, j, other.Pid()).Exited(); err != nil || exited {
		t.Errorf("another member has exited: %v, %v", exited, err)
	}
}

func testMemberTerminate(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	other := e.startTree(t, j, 1).first
	p := e.startTree(t, j, 1).first
	m := member(t, j, p.Pid())
	if err := m.Terminate(9); err != nil {
		t.Fatal(err)
	}
	if code := wait(t, p); code != 9 {
		t.Errorf("exit code = %d, want 9", code)
	}
	if err := m.Terminate(10); err != nil {
		t.Errorf("terminate after exit: %v", err)
	}
	if exited, err := member(t, j, other.Pid()).Exited(); err != nil || exited {
		t.Errorf("another member has exited: %v, %v", exited, err)
	}
}
