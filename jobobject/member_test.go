package jobobject_test

import (
	"errors"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// opened is a kernel with two jobs and a process in each and in none.
func opened(t *testing.T) (k *jobtest.Kernel, job *jobobject.Job, in, other, none *jobtest.Proc) {
	t.Helper()
	k = jobtest.New()
	place := func(name string) *jobtest.Proc {
		p, err := k.Place(name, "w.exe", jobtest.Self)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, name := range []string{`\Container_a`, `\Container_b`} {
		if _, err := k.CreateJob(name, jobobject.DefaultSecurityDescriptor); err != nil {
			t.Fatal(err)
		}
	}
	job, err := jobobject.Open(`\Container_a`, jobobject.OpenOptions{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	before := k.OpenHandles()
	t.Cleanup(func() {
		if n := k.OpenHandles(); n != before {
			t.Errorf("%d handles left open", n-before)
		}
	})
	return k, job, place(`\Container_a`), place(`\Container_b`), place("")
}

func TestMember_NonMember_IsErrNotExist(t *testing.T) {
	k, job, in, other, none := opened(t)
	gone := in.Pid()
	in.Exit(0)
	for what, pid := range map[string]uint32{"another job's": other.Pid(), "no job's": none.Pid(), "an ended": gone, "an unused": 8} {
		if m, err := job.Member(pid); !errors.Is(err, jobobject.ErrNotExist) || m != nil {
			t.Errorf("%s process: %v, %v, want ErrNotExist", what, m, err)
		}
	}
	if _, err := k.Place(`\Container_c`, "w.exe", 0); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("place into a job that is not there: %v, want ErrNotExist", err)
	}
}

func TestMember_CheckFails_ReasonIsReturned(t *testing.T) {
	k, job, in, _, _ := opened(t)
	refused := errors.New("refused")
	k.Fail("IsProcessInJob", 1, refused)
	if _, err := job.Member(in.Pid()); !errors.Is(err, refused) {
		t.Errorf("member that cannot be checked: %v, want the reason", err)
	}
	in.Protect()
	if _, err := job.Member(in.Pid()); !errors.Is(err, jobobject.ErrPermission) {
		t.Errorf("protected member: %v, want ErrPermission", err)
	}
}

// A Member outlives its process: it then has no memory, and no other process gets its pid.
func TestMember_ProcessExits_PidStaysInUse(t *testing.T) {
	k, job, in, _, _ := opened(t)
	k.RecyclePids()
	m, err := job.Member(in.Pid())
	if err != nil {
		t.Fatal(err)
	}
	if exited, err := m.Exited(); err != nil || exited {
		t.Errorf("exited = %v, %v", exited, err)
	}
	in.Exit(0)
	if exited, err := m.Exited(); err != nil || !exited {
		t.Errorf("exited = %v, %v, want it", exited, err)
	}
	if mem, err := m.Memory(); err != nil || mem.WorkingSet != 0 || mem.PrivateWorkingSet != 0 {
		t.Errorf("memory of an ended process = %+v, %v", mem, err)
	}
	if next, err := k.Place("", "x.exe", 0); err != nil || next.Pid() == m.Pid() {
		t.Errorf("pid %d was used again while open, %v", next.Pid(), err)
	}
	if err := errors.Join(m.Close(), m.Close()); err != nil {
		t.Error(err)
	}
	if next, err := k.Place("", "x.exe", 0); err != nil || next.Pid() != m.Pid() {
		t.Errorf("pid %d, %v, want %d again", next.Pid(), err, m.Pid())
	}
	for what, ask := range map[string]func() error{
		"memory":  func() error { _, err := m.Memory(); return err },
		"times":   func() error { _, err := m.Times(); return err },
		"image":   func() error { _, err := m.Image(); return err },
		"parent":  func() error { _, err := m.Parent(); return err },
		"handles": func() error { _, err := m.Handles(); return err },
		"exited":  func() error { _, err := m.Exited(); return err },

		"signal":    func() error { return m.Signal(jobobject.CtrlC) },
		"terminate": func() error { return m.Terminate(1) },
	} {
		if err := ask(); !errors.Is(err, jobobject.ErrClosed) {
			t.Errorf("%s after close: %v, want ErrClosed", what, err)
		}
	}
}

// The pid of an open member goes to no other process, so its calls reach none.
func TestMember_PidsAreRecycled_OtherProcessIsNotReached(t *testing.T) {
	k, job, in, _, _ := opened(t)
	k.RecyclePids()
	m, err := job.Member(in.Pid())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	in.Exit(0)
	next, err := k.Place(`\Container_a`, "x.exe", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Signal(jobobject.CtrlC); !errors.Is(err, jobobject.ErrExited) {
		t.Errorf("signal: %v, want ErrExited", err)
	}
	if err := m.Terminate(1); err != nil {
		t.Errorf("terminate: %v", err)
	}
	if pids, err := job.Pids(); err != nil || len(pids) != 1 || pids[0] != next.Pid() {
		t.Errorf("pids = %v, %v, want %d", pids, err, next.Pid())
	}
}

func TestMember_KernelRefuses_ReasonIsReturned(t *testing.T) {
	k, job, in, _, _ := opened(t)
	m, err := job.Member(in.Pid())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	refused := errors.New("refused")
	for call, act := range map[string]func() error{
		"SignalProcess":    func() error { return m.Signal(jobobject.CtrlC) },
		"TerminateProcess": func() error { return m.Terminate(1) },
	} {
		for _, kind := range []string{"OpenProcess", call} {
			k.Fail(kind, 1, refused)
			if err := act(); !errors.Is(err, refused) {
				t.Errorf("%s refused: %v, want the reason", kind, err)
			}
		}
	}
}

func TestAppendPids_EnoughCapacity_NoAllocation(t *testing.T) {
	k, job, in, _, _ := opened(t)
	for range 99 {
		if _, err := k.Place(`\Container_a`, "w.exe", 0); err != nil {
			t.Fatal(err)
		}
	}
	pids, err := job.AppendPids([]uint32{7})
	if err != nil || len(pids) != 101 || pids[0] != 7 || pids[1] != in.Pid() {
		t.Fatalf("%d pids, %v", len(pids), err)
	}
	if n := testing.AllocsPerRun(10, func() { pids, err = job.AppendPids(pids[:0]) }); n != 0 || err != nil || len(pids) != 100 {
		t.Errorf("%v allocations with room for all, %d pids, %v", n, len(pids), err)
	}
	k.Fail("ProcessIDs", 1, errors.New("refused"))
	if got, err := job.AppendPids(pids[:3]); err == nil || len(got) != 3 {
		t.Errorf("refused: %d pids, %v, want the 3 that were there", len(got), err)
	}
}

func TestPrivateWorkingSet_Members_AreAddedUp(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{})
	ready := make(chan struct{})
	k.Program("hold.exe", func(p *jobtest.Proc) uint32 {
		p.PrivateWorkingSet(3 << 30)
		ready <- struct{}{}
		<-p.Done()
		return 0
	})
	for range 2 {
		p, err := j.Start(jobobject.ProcessOptions{CommandLine: "hold.exe"})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		<-ready
	}
	if n, err := j.PrivateWorkingSet(); err != nil || n != 6<<30 {
		t.Errorf("private working set = %d, %v, want %d", n, err, uint64(6<<30))
	}
}

// memberEnds is a kernel on which a member ends, or is found to be a non-member,
// between the question for the list and the question for its memory.
type memberEnds struct {
	*jobtest.Kernel
	openProcess    func()
	isProcessInJob func() (bool, bool)
}

func (l *memberEnds) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	if l.openProcess != nil {
		l.openProcess()
	}
	return l.Kernel.OpenProcess(pid, access)
}

func (l *memberEnds) IsProcessInJob(p, j jobobject.Handle) (bool, error) {
	if l.isProcessInJob != nil {
		if member, told := l.isProcessInJob(); told {
			return member, nil
		}
	}
	return l.Kernel.IsProcessInJob(p, j)
}

func TestPrivateWorkingSet_MemberEnds_CountsAsZero(t *testing.T) {
	start := func(t *testing.T) (*memberEnds, *jobobject.Job) {
		k := jobtest.New()
		k.Program("last.exe", lasting)
		l := &memberEnds{Kernel: k}
		j, err := jobobject.Create(jobobject.Options{Kernel: l})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := errors.Join(j.Terminate(0), j.Close()); err != nil {
				t.Error(err)
			}
			k.Wait()
		})
		startLasting(t, j, 1)
		return l, j
	}
	t.Run("ended", func(t *testing.T) {
		l, j := start(t)
		l.openProcess = func() {
			if err := j.Terminate(0); err != nil {
				t.Error(err)
			}
		}
		if n, err := j.PrivateWorkingSet(); err != nil || n != 0 {
			t.Errorf("private working set = %d, %v, want nothing of a process that left", n, err)
		}
	})
	t.Run("non-member", func(t *testing.T) {
		l, j := start(t)
		l.isProcessInJob = func() (bool, bool) { return false, true }
		if n, err := j.PrivateWorkingSet(); err != nil || n != 0 {
			t.Errorf("private working set = %d, %v, want 0 for a non-member", n, err)
		}
	})
	t.Run("unreadable member", func(t *testing.T) {
		l, j := start(t)
		l.Fail("ProcessMemory", 1, errBroken)
		if n, err := j.PrivateWorkingSet(); !errors.Is(err, errBroken) {
			t.Errorf("private working set = %d, %v, want the error and no smaller sum", n, err)
		}
	})
	t.Run("no rights on a member", func(t *testing.T) {
		l, j := start(t)
		l.Fail("OpenProcess", 1, jobobject.ErrPermission)
		if n, err := j.PrivateWorkingSet(); !errors.Is(err, jobobject.ErrPermission) {
			t.Errorf("private working set = %d, %v, want ErrPermission", n, err)
		}
	})
}
