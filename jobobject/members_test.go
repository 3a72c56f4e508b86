package jobobject_test

import (
	"errors"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

func TestPrivateWorkingSetSums(t *testing.T) {
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

// leaver is a kernel on which a member ends, or is found to be a stranger,
// between the question for the list and the question for its memory.
type leaver struct {
	*jobtest.Kernel
	openProcess    func()
	isProcessInJob func() (bool, bool)
}

func (l *leaver) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	if l.openProcess != nil {
		l.openProcess()
	}
	return l.Kernel.OpenProcess(pid, access)
}

func (l *leaver) IsProcessInJob(p, j jobobject.Handle) (bool, error) {
	if l.isProcessInJob != nil {
		if member, told := l.isProcessInJob(); told {
			return member, nil
		}
	}
	return l.Kernel.IsProcessInJob(p, j)
}

func TestPrivateWorkingSetOfLeavers(t *testing.T) {
	start := func(t *testing.T) (*leaver, *jobobject.Job) {
		k := jobtest.New()
		k.Program("last.exe", lasting)
		l := &leaver{Kernel: k}
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
	t.Run("stranger", func(t *testing.T) {
		l, j := start(t)
		l.isProcessInJob = func() (bool, bool) { return false, true }
		if n, err := j.PrivateWorkingSet(); err != nil || n != 0 {
			t.Errorf("private working set = %d, %v, want nothing of a stranger", n, err)
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
