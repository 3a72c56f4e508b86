package jobtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

var errBroken = errors.New("broken")

func TestKernelFail_PlannedCalls_FailAndAreCounted(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{})
	b.ResetCalls()
	b.FailNth("Accounting", 2, errBroken)
	b.FailNth("Accounting", 4, jobobject.ErrPermission)
	for i, want := range []error{nil, errBroken, nil, jobobject.ErrPermission, nil} {
		if _, err := j.Accounting(); !errors.Is(err, want) || (err != nil) != (want != nil) {
			t.Errorf("call %d: %v, want %v", i+1, err, want)
		}
	}
	b.Fail("Accounting", 2, errBroken)
	for i, want := range []bool{true, true, false} {
		if _, err := j.Accounting(); (err != nil) != want {
			t.Errorf("call %d: %v, want a fault: %v", i+1, err, want)
		}
	}
	if n := b.Calls("Accounting"); n != 8 {
		t.Errorf("%d calls, want 8 with those that failed", n)
	}
	if err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true}); err != nil {
		t.Fatal(err)
	}
	all := b.AllCalls()
	delete(all, "WaitPort") // the reader of the port, at any time
	if len(all) != 2 || all["SetLimits"] != 1 || all["Accounting"] != 8 {
		t.Errorf("all calls = %v, want one of SetLimits and those of Accounting", all)
	}
}

func TestKernelFail_UnknownCall_Panics(t *testing.T) {
	b := newBench(t)
	for what, try := range map[string]func(){
		"Fail":    func() { b.Fail("Acounting", 1, errBroken) },
		"FailNth": func() { b.FailNth("", 1, errBroken) },
		"Calls":   func() { b.Calls("SetCPURate") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of a call that there is not", what)
				}
			}()
			try()
		}()
	}
}

// TestKernelRecyclePids_OpenProcess_KeepsItsPid: no process gets the pid of an ended one while that is open.
func TestKernelRecyclePids_OpenProcess_KeepsItsPid(t *testing.T) {
	b := newBench(t)
	b.RecyclePids()
	j, err := jobobject.Create(jobobject.Options{Name: "pids", Kernel: b.Kernel, KillOnClose: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	jh, err := b.OpenJob("pids", jobobject.AccessQuery)
	if err != nil {
		t.Fatal(err)
	}
	defer b.CloseHandle(jh)
	_, first := b.process(j)
	pid := first.Pid()
	if err := first.Terminate(3); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, second := b.process(j); second.Pid() == pid {
		t.Fatal("the pid of an open process was used again")
	}
	h, err := b.OpenProcess(pid, jobobject.ProcessQueryLimited)
	if err != nil {
		t.Fatalf("open an ended process that is open: %v", err)
	}
	if in, err := b.IsProcessInJob(h, jh); err != nil || !in {
		t.Errorf("the ended process is a member: %v, %v", in, err)
	}
	if err := errors.Join(b.CloseHandle(h), first.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.OpenProcess(pid, jobobject.ProcessQueryLimited); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("open a process that is gone: %v, want ErrNotExist", err)
	}
	if _, third := b.process(j); third.Pid() != pid {
		t.Errorf("pid = %d, want %d again", third.Pid(), pid)
	}
}

func TestKernel_NoRecyclePids_EachPidIsNew(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{})
	seen := map[uint32]bool{}
	for range 20 {
		_, p := b.process(j)
		if seen[p.Pid()] {
			t.Fatalf("pid %d was used twice", p.Pid())
		}
		seen[p.Pid()] = true
		if err := errors.Join(p.Terminate(0), p.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProcProtect_OpenProcess_IsRefused(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{})
	p, _ := b.process(j)
	p.Protect()
	if _, err := j.PrivateWorkingSet(); !errors.Is(err, jobobject.ErrPermission) {
		t.Errorf("working set with a protected process: %v, want ErrPermission", err)
	}
}

// TestKernelLose_Message_IsNotDelivered loses the first message of a kind and keeps the next.
func TestKernelLose_Message_IsNotDelivered(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{})
	messages := j.Messages()
	b.Lose(jobobject.NewProcess, 1)
	b.process(j)
	_, second := b.process(j)
	if m := <-messages; m.Kind != jobobject.NewProcess || m.Pid != second.Pid() {
		t.Errorf("message %v of %d, want of the second process, %d", m.Kind, m.Pid, second.Pid())
	}
	b.Lose(jobobject.ActiveProcessZero, -1)
	if err := j.Terminate(0); err != nil {
		t.Fatal(err)
	}
	if err := j.WaitEmpty(context.Background()); err != nil {
		t.Errorf("wait without the message: %v", err)
	}
}

// TestIOAttribution_Enabled_CountsFromThen: what was transferred before the count was switched
// on does not show, and the dead stay counted.
func TestIOAttribution_Enabled_CountsFromThen(t *testing.T) {
	b := newBench(t)
	j, err := jobobject.Create(jobobject.Options{Name: "io", Kernel: b.Kernel, KillOnClose: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	h, err := b.OpenJob("io", jobobject.AccessAll)
	if err != nil {
		t.Fatal(err)
	}
	defer b.CloseHandle(h)
	p, running := b.process(j)
	p.Transfer(jobobject.IOAttribution{ReadCount: 5, ReadBytes: 6})
	if _, err := b.IOAttribution(h); !errors.Is(err, jobobject.ErrNotSupported) {
		t.Errorf("before: %v, want ErrNotSupported", err)
	}
	for range 2 { // the second changes nothing
		if err := b.EnableIOAttribution(h); err != nil {
			t.Fatal(err)
		}
		p.Transfer(jobobject.IOAttribution{WriteCount: 1, WriteBytes: 2})
	}
	if err := errors.Join(running.Terminate(0), j.WaitEmpty(t.Context())); err != nil {
		t.Fatal(err)
	}
	want := jobobject.IOAttribution{WriteCount: 2, WriteBytes: 4}
	if s, err := b.IOAttribution(h); err != nil || s != want {
		t.Errorf("storage = %+v, %v, want %+v", s, err, want)
	}
}

// TestSpawn_NestedJobs_LeavesThoseThatAllowIt leaves as many jobs as allow it, from the inside.
func TestSpawn_NestedJobs_LeavesThoseThatAllowIt(t *testing.T) {
	b := newBench(t)
	outer := b.job(jobobject.Limits{})
	inner := b.job(jobobject.Limits{Breakaway: jobobject.BreakawayAlways})
	parent, p := b.process(outer)
	if err := inner.Assign(p.Pid()); err != nil {
		t.Fatal(err)
	}
	if _, err := parent.Spawn("last.exe"); err != nil {
		t.Fatal(err)
	}
	if in, out := b.accounting(inner).Active, b.accounting(outer).Active; in != 1 || out != 2 {
		t.Errorf("%d in the inner job and %d in the outer, want 1 and 2", in, out)
	}
}

func TestProcessUserTime_Reached_ProcessEndsAndTimeIsKept(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{ProcessUserTime: time.Second})
	one, first := b.process(j)
	two, _ := b.process(j)
	one.Busy(1, 0)
	two.Busy(0.5, 0)
	b.Advance(time.Second)
	if code, err := first.Wait(t.Context()); err != nil || code != jobtest.QuotaExit {
		t.Errorf("exit code = %d, %v, want %d", code, err, jobtest.QuotaExit)
	}
	if a := b.accounting(j); a.Active != 1 || a.Terminated != 1 || a.UserTime != 1500*time.Millisecond {
		t.Errorf("accounting = %+v, want one ended by the limit and its time kept", a)
	}
}
