package jobtest

import (
	"errors"
	"slices"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

func testMembers(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	if pids, err := j.Pids(); err != nil || len(pids) != 0 {
		t.Errorf("pids of an empty job = %v, %v", pids, err)
	}
	tree := b.startTree(t, j, 3)
	b.wantMembers(t, j, tree)
	if !slices.Contains(tree.pids, tree.first.Pid()) {
		t.Errorf("pids = %v, want the first process, %d, among them", tree.pids, tree.first.Pid())
	}
}

func testAssign(t *testing.T, b Bed) {
	outer := b.create(t, jobobject.Options{KillOnClose: true})
	inner := b.create(t, jobobject.Options{})
	tree := b.startTree(t, outer, 1)
	if err := inner.Assign(tree.first.Pid()); err != nil {
		t.Fatal(err)
	}
	b.wantMembers(t, outer, tree)
	b.wantMembers(t, inner, tree)
}

func testAssignStranger(t *testing.T, b Bed) {
	a := b.create(t, jobobject.Options{KillOnClose: true})
	c := b.create(t, jobobject.Options{KillOnClose: true})
	inA, _ := b.startTree(t, a, 1), b.startTree(t, c, 1)
	if err := c.Assign(inA.first.Pid()); !errors.Is(err, jobobject.ErrPermission) {
		t.Errorf("assign the member of an unrelated job: %v, want ErrPermission", err)
	}
	p := start(t, a, b.options("exit", "0"))
	wait(t, p)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Assign(0xFFFFFFF0); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("assign an unused pid: %v, want ErrNotExist", err)
	}
}

// testNested ends the inner job and must find the outer one as it was.
func testNested(t *testing.T, b Bed) {
	outer := b.create(t, jobobject.Options{KillOnClose: true})
	inner := b.create(t, jobobject.Options{})
	stays, goes := b.startTree(t, outer, 1), b.startTree(t, outer, 1)
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
