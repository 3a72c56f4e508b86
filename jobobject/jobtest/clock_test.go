package jobtest_test

import (
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// bench is a kernel with processes that a test drives from outside.
type bench struct {
	*jobtest.Kernel
	t *testing.T
}

func newBench(t *testing.T) bench {
	k := jobtest.New()
	t.Cleanup(func() {
		k.Wait()
		if n := k.OpenHandles(); n != 0 {
			t.Errorf("%d handles left open", n)
		}
	})
	return bench{k, t}
}

// job makes a job with limits, whose members the end of the test ends.
func (b bench) job(l jobobject.Limits) *jobobject.Job {
	b.t.Helper()
	j, err := jobobject.Create(jobobject.Options{Kernel: b.Kernel, KillOnClose: true, TrackIO: true})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { j.Close() })
	l.KillOnClose = true
	if err := j.SetLimits(b.t.Context(), l); err != nil {
		b.t.Fatal(err)
	}
	return j
}

// process starts one that lasts.
func (b bench) process(j *jobobject.Job) (*jobtest.Proc, *jobobject.Process) {
	b.t.Helper()
	started := make(chan *jobtest.Proc, 1)
	b.Program("last.exe", func(p *jobtest.Proc) uint32 {
		started <- p
		<-p.Done()
		return 0
	})
	p, err := j.Start(jobobject.ProcessOptions{CommandLine: "last.exe"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { p.Close() })
	return <-started, p
}

func (b bench) accounting(j *jobobject.Job) jobobject.Accounting {
	b.t.Helper()
	a, err := j.Accounting()
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func (b bench) wantTime(j *jobobject.Job, user, kernel time.Duration) {
	b.t.Helper()
	if a := b.accounting(j); a.UserTime != user || a.KernelTime != kernel {
		b.t.Errorf("user %v, kernel %v, want %v and %v", a.UserTime, a.KernelTime, user, kernel)
	}
}

func TestKernel_NoAdvance_ClockStandsStill(t *testing.T) {
	b := newBench(t)
	if !b.Now().Equal(jobtest.Epoch) {
		t.Errorf("now = %v", b.Now())
	}
	b.Advance(time.Hour)
	if d := b.Now().Sub(jobtest.Epoch); d != time.Hour {
		t.Errorf("an hour later it is %v later", d)
	}
}

func TestProcBusy_Advance_UsesProcessorTime(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{})
	one, _ := b.process(j)
	two, _ := b.process(j)
	one.Busy(0.5, 0.25)
	two.Busy(1, 0)
	b.Advance(4 * time.Second)
	b.wantTime(j, 6*time.Second, time.Second)
	two.Busy(0, 0)
	b.Advance(4 * time.Second)
	b.wantTime(j, 8*time.Second, 2*time.Second)
}

// TestCPURate_NestedJobs_ShareTheOuterCap: a fourth of four processors is one, shared by two that want two
// each; half of that is left in the nested job.
func TestCPURate_NestedJobs_ShareTheOuterCap(t *testing.T) {
	b := newBench(t)
	outer := b.job(jobobject.Limits{CPURate: 2500})
	inner := b.job(jobobject.Limits{CPURate: 5000})
	free, _ := b.process(outer)
	bound, p := b.process(outer)
	if err := inner.Assign(p.Pid()); err != nil {
		t.Fatal(err)
	}
	bound.Busy(2, 0)
	b.Advance(10 * time.Second)
	b.wantTime(inner, 5*time.Second, 0)
	free.Busy(1.5, 0)
	b.Advance(10 * time.Second)
	// 0.5 and 1.5 are wanted of the one: a fourth and three fourths of it.
	b.wantTime(inner, 7500*time.Millisecond, 0)
	b.wantTime(outer, 15*time.Second, 0)
	b.Processors(8)
	b.Advance(10 * time.Second)
	b.wantTime(outer, 35*time.Second, 0)
}

func TestFreeze_Advance_UsesNothing(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{})
	p, _ := b.process(j)
	p.Busy(1, 0)
	p.Drift(1<<20, 0)
	before, err := j.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Freeze(); err != nil {
		t.Fatal(err)
	}
	b.Advance(time.Minute)
	b.wantTime(j, 0, 0)
	if m, err := j.Memory(); err != nil || m != before {
		t.Errorf("memory = %+v, %v, want %+v", m, err, before)
	}
	if err := j.Thaw(); err != nil {
		t.Fatal(err)
	}
	b.Advance(time.Second)
	b.wantTime(j, time.Second, 0)
}

// TestFreeze_ProcCalls_WaitForThaw: calls of a frozen program return after the thaw.
func TestFreeze_ProcCalls_WaitForThaw(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{})
	p, _ := b.process(j)
	if err := j.Freeze(); err != nil {
		t.Fatal(err)
	}
	used := make(chan struct{})
	go func() {
		p.Use(time.Second, 0, 0)
		close(used)
	}()
	b.wantTime(j, 0, 0)
	if err := j.Thaw(); err != nil {
		t.Fatal(err)
	}
	<-used
	b.wantTime(j, time.Second, 0)
}

func TestProcDrift_Advance_StaysWithinLimits(t *testing.T) {
	b := newBench(t)
	j := b.job(jobobject.Limits{JobMemory: 10 << 20, MinWorkingSet: 1, MaxWorkingSet: 4 << 20})
	messages := j.Messages()
	p, _ := b.process(j)
	p.Commit(8 << 20)
	p.PrivateWorkingSet(3 << 20)
	p.Drift(1<<20, 1<<20)
	b.Advance(time.Second)
	want := func(commit, peak, working uint64) {
		t.Helper()
		m, merr := j.Memory()
		w, werr := j.PrivateWorkingSet()
		if merr != nil || werr != nil || m.Commit != commit || m.PeakCommit != peak || w != working {
			t.Errorf("memory = %+v, %v, working set %d, %v, want %d, %d and %d", m, merr, w, werr, commit, peak, working)
		}
	}
	want(9<<20, 9<<20, 4<<20)
	b.Advance(2 * time.Second)
	want(9<<20, 9<<20, 4<<20) // 11 are refused
	p.Drift(-1<<20, -1<<20)
	b.Advance(3 * time.Second)
	want(6<<20, 9<<20, 1<<20)
	b.Advance(time.Hour)
	want(0, 9<<20, 0)
	for m := range messages {
		if m.Kind == jobobject.JobMemoryLimit {
			break
		}
	}
}
