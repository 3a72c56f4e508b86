package jobtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

// lacks skips the test when err says that the kernel has no such thing.
func lacks(t *testing.T, err error, what string) {
	t.Helper()
	if errors.Is(err, jobobject.ErrNotSupported) {
		t.Skipf("the kernel keeps no %s: %v", what, err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func testAccounting(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	before, err := j.Accounting()
	if err != nil || before.Total != 0 || before.Active != 0 {
		t.Fatalf("accounting of an empty job = %+v, %v", before, err)
	}
	wait(t, start(t, j, b.options("exit", "0")))
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	tree := b.startTree(t, j, 2)
	if a, err := j.Accounting(); err != nil || !b.counts(t, a.Total, 3) || !b.counts(t, a.Active, 2) {
		t.Errorf("accounting = %+v, %v, want 2 of 3 active", a, err)
	}
	tree.stdin.Close()
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, err := j.Accounting(); err != nil || !b.counts(t, a.Total, 3) || a.Active != 0 {
		t.Errorf("accounting = %+v, %v, want 0 of 3 active", a, err)
	}
}

func testMemory(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	_, err := j.Memory()
	lacks(t, err, "memory usage of a job")
	b.startTree(t, j, 2)
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

func testStorage(t *testing.T, b Bed) {
	off := b.create(t, jobobject.Options{})
	if _, err := off.Storage(); !errors.Is(err, jobobject.ErrNotSupported) {
		t.Errorf("storage without tracking: %v, want ErrNotSupported", err)
	}
	j := b.create(t, jobobject.Options{KillOnClose: true, TrackIO: true})
	first, err := j.Storage()
	lacks(t, err, "I/O attribution")
	wait(t, start(t, j, b.options("exit", "0")))
	second, err := j.Storage()
	if err != nil {
		t.Fatal(err)
	}
	if second.ReadCount < first.ReadCount || second.ReadBytes < first.ReadBytes ||
		second.WriteCount < first.WriteCount || second.WriteBytes < first.WriteBytes {
		t.Errorf("storage went from %+v to %+v", first, second)
	}
}

func testPrivateWorkingSet(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	if n, err := j.PrivateWorkingSet(); err != nil || n != 0 {
		t.Errorf("private working set of an empty job = %d, %v", n, err)
	}
	b.startTree(t, j, 1)
	one, err := j.PrivateWorkingSet()
	lacks(t, err, "private working set")
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

func testLimits(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{KillOnClose: true})
	want := jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, ProcessMemory: 1 << 29, ActiveProcesses: 50}
	if err := j.SetLimits(want); err != nil {
		t.Fatal(err)
	}
	got := j.Limits()
	if got.KillOnClose != want.KillOnClose || got.JobMemory != want.JobMemory ||
		got.ProcessMemory != want.ProcessMemory || got.ActiveProcesses != want.ActiveProcesses {
		t.Errorf("limits = %+v, want %+v", got, want)
	}
	if code := wait(t, start(t, j, b.options("exit", "7"))); code != 7 {
		t.Errorf("exit code under limits = %d, want 7", code)
	}
}

func testCPURate(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{})
	lacks(t, j.SetLimits(jobobject.Limits{CPURate: 5000}), "processor rate")
	if err := j.SetLimits(jobobject.Limits{CPUWeight: 5}); err != nil {
		t.Error(err)
	}
	if err := j.SetLimits(jobobject.Limits{}); err != nil {
		t.Error(err)
	}
	if l := j.Limits(); l.CPURate != 0 || l.CPUWeight != 0 {
		t.Errorf("limits = %+v, want none", l)
	}
}

func testLimitRange(t *testing.T, b Bed) {
	j := b.create(t, jobobject.Options{})
	for _, tt := range []struct {
		limits jobobject.Limits
		want   string
	}{
		{jobobject.Limits{CPURate: 10001}, "CPURate is 10001, want 1 to 10000"},
		{jobobject.Limits{CPUWeight: 10}, "CPUWeight is 10, want 1 to 9"},
		{jobobject.Limits{CPURate: 1, CPUWeight: 1}, "CPURate and CPUWeight"},
		{jobobject.Limits{JobMemory: 1, ProcessMemory: 2}, "ProcessMemory is 2, want at most JobMemory, 1"},
		{jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Group: 1}}}, "Affinity[0].Mask is 0"},
		{jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 1}, {Mask: 2}}}, "Affinity[1].Group is 0 again"},
	} {
		if err := j.SetLimits(tt.limits); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("SetLimits(%+v): %v, want %q", tt.limits, err, tt.want)
		}
	}
}
