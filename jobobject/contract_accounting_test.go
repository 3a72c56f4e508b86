package jobobject_test

import (
	"errors"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

func testAccounting(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	before, err := j.Accounting()
	if err != nil || before.Total != 0 || before.Active != 0 {
		t.Fatalf("accounting of an empty job = %+v, %v", before, err)
	}
	wait(t, start(t, j, e.options("exit", "0")))
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	tree := e.startTree(t, j, 2)
	if a, err := j.Accounting(); err != nil || !e.counts(t, a.Total, 3) || !e.counts(t, a.Active, 2) {
		t.Errorf("accounting = %+v, %v, want 2 of 3 active", a, err)
	}
	tree.stdin.Close()
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, err := j.Accounting(); err != nil || !e.counts(t, a.Total, 3) || a.Active != 0 {
		t.Errorf("accounting = %+v, %v, want 0 of 3 active", a, err)
	}
}

func testMemory(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	_, err := j.Memory()
	e.requires(t, err, "memory usage of a job")
	e.startTree(t, j, 2)
	m, err := j.Memory()
	if err != nil || m.Commit == 0 || m.PeakCommit < m.Commit {
		t.Errorf("memory = %+v, %v, want some, and a peak not below it", m, err)
	}
	if err := j.Terminate(1); err != nil {
		t.Fatal(err)
	}
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := j.Memory()
	if err != nil || after.Commit != 0 || after.PeakCommit < m.PeakCommit {
		t.Errorf("memory of an empty job = %+v, %v, want none and a peak of at least %d", after, err, m.PeakCommit)
	}
}

func testIO(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	first, err := j.IO()
	e.requires(t, err, "transfers of a job")
	if first != (jobobject.IOCounters{}) {
		t.Errorf("transfers of an empty job = %+v", first)
	}
	wait(t, start(t, j, e.options("exit", "0")))
	if second, err := j.IO(); err != nil || second.OtherBytes < first.OtherBytes {
		t.Errorf("transfers after a program = %+v, %v", second, err)
	}
}

func testStorage(t *testing.T, e environment) {
	off := e.create(t, jobobject.Options{})
	if _, err := off.Storage(); !errors.Is(err, jobobject.ErrNotSupported) {
		t.Errorf("storage without tracking: %v, want ErrNotSupported", err)
	}
	j := e.create(t, jobobject.Options{KillOnClose: true, TrackIO: true})
	first, err := j.Storage()
	e.requires(t, err, "I/O attribution")
	wait(t, start(t, j, e.options("exit", "0")))
	second, err := j.Storage()
	if err != nil {
		t.Fatal(err)
	}
	if second.ReadCount < first.ReadCount || second.ReadBytes < first.ReadBytes ||
		second.WriteCount < first.WriteCount || second.WriteBytes < first.WriteBytes {
		t.Errorf("storage went from %+v to %+v", first, second)
	}
}

func testPrivateWorkingSet(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	if n, err := j.PrivateWorkingSet(); err != nil || n != 0 {
		t.Errorf("private working set of an empty job = %d, %v", n, err)
	}
	e.startTree(t, j, 1)
	one, err := j.PrivateWorkingSet()
	e.requires(t, err, "private working set")
	if one == 0 {
		t.Error("private working set of a running process is 0")
	}
	if err := j.Terminate(1); err != nil {
		t.Fatal(err)
	}
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := j.PrivateWorkingSet(); err != nil || n != 0 {
		t.Errorf("private working set after the end = %d, %v", n, err)
	}
}
