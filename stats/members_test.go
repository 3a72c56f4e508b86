package stats_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

// S26: the sum is over this job's members, nested ones included, and of no other process.
func TestS26MembersOnly(t *testing.T) {
	m := newMachine(t)
	h := m.must(m.CreateJob(container+`\nested`, sddl))
	t.Cleanup(func() {
		if err := m.CloseHandle(h); err != nil {
			t.Error(err)
		}
	})
	nested := m.place(container, 4)
	p := m.must(m.OpenProcess(nested.Pid(), jobobject.ProcessSetQuota|jobobject.ProcessTerminate))
	if err := errors.Join(m.AssignProcess(h, p), m.CloseHandle(p)); err != nil {
		t.Fatal(err)
	}
	m.place(container, 1)
	m.place(container+`\nested`, 2)
	m.place(otherJob, 8)
	m.place("", 16)
	for _, c := range []*stats.Collector{m.keeping(container), m.silo()} {
		if got := m.private(c); got != 7 {
			t.Errorf("private working set = %d, want 7", got)
		}
	}
	if m.Calls("SystemProcesses") != 0 {
		t.Error("the list of the machine was queried")
	}
}

// S27: no process is an empty list and not none; growth between two queries is no failure.
func TestS27EmptyAndGrowingJobs(t *testing.T) {
	m := newMachine(t)
	if list, err := m.silo().Processes(context.Background()); err != nil || list == nil || len(list) != 0 {
		t.Errorf("processes of an empty job = %v, %v", list, err)
	}
	k := &growingKernel{Kernel: m.Kernel, machine: m, left: 3}
	list, err := stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: k}).Processes(context.Background())
	if err != nil || len(list) != 300 {
		t.Errorf("%d processes, %v, want all 300", len(list), err)
	}
}

// growingKernel makes a hundred processes right before each of the first queries for the list.
type growingKernel struct {
	jobobject.Kernel
	machine *machine
	left    int
}

func (k *growingKernel) ProcessIDs(h jobobject.Handle, pids []uint32) (int, int, error) {
	if k.left > 0 {
		k.left--
		k.machine.placeMany(container, 100)
	}
	return k.Kernel.ProcessIDs(h, pids)
}

// S28, ours: a member that refuses to be opened is counted as unreadable and makes the sum approximate, and where all
// refuse the sum is missing. The reference counts them as zero.
func TestS28ProtectedMembers(t *testing.T) {
	m := newMachine(t)
	m.place(container, 3)
	protected := m.place(container, 5)
	protected.Protect()
	c := m.keeping(container)
	for range 2 {
		s := sampleOf(c, time.Time{})
		got := s.Metrics[stats.MetricPrivateWorkingSet]
		if s.Memory.PrivateWorkingSet != 3 || s.Processes.Unreadable != 1 ||
			got.Quality != stats.Approximate || !errors.Is(got.Err, jobobject.ErrPermission) {
			t.Errorf("private working set = %d, %+v with %d unreadable", s.Memory.PrivateWorkingSet, got, s.Processes.Unreadable)
		}
	}
	list, err := c.Processes(context.Background())
	if err != nil || len(list) != 2 || list[1].Pid != protected.Pid() || list[1].Known != 0 {
		t.Errorf("processes = %+v, %v, want the protected one by its pid", list, err)
	}
	only := newMachine(t)
	only.place(container, 5).Protect()
	if s := sampleOf(only.silo(), time.Time{}); s.Has(stats.MetricPrivateWorkingSet) || s.Memory.PrivateWorkingSet != 0 {
		t.Errorf("private working set = %d where no member may be opened", s.Memory.PrivateWorkingSet)
	}
}

// S29: a pid that was given to a non-member between the list and the opening counts nothing.
func TestS29ReusedPid(t *testing.T) {
	m := newMachine(t)
	m.RecyclePids()
	m.place(container, 1)
	goes := m.place(container, 2)
	k := &reusingKernel{Kernel: m.Kernel, at: goes.Pid(), reuse: func() {
		goes.Exit(0)
		if p := m.place(otherJob, 64); p.Pid() != goes.Pid() {
			t.Fatalf("pid %d, want %d again", p.Pid(), goes.Pid())
		}
	}}
	s := sampleOf(stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: k}), time.Time{})
	if s.Memory.PrivateWorkingSet != 1 || s.Metrics[stats.MetricPrivateWorkingSet].Quality != stats.Exact {
		t.Errorf("private working set = %d, %+v, want 1", s.Memory.PrivateWorkingSet, s.Metrics[stats.MetricPrivateWorkingSet])
	}
}

// reusingKernel gives a pid to another process right before it is opened.
type reusingKernel struct {
	jobobject.Kernel
	at    uint32
	reuse func()
}

func (k *reusingKernel) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	if pid == k.at && k.reuse != nil {
		k.reuse()
		k.reuse = nil
	}
	return k.Kernel.OpenProcess(pid, access)
}

// S30, ours: a member that ends between the opening and the query counts nothing and fails nothing; a query that
// fails for another reason is counted.
func TestS30EndsWhileAsked(t *testing.T) {
	m := newMachine(t)
	m.place(container, 1)
	goes := m.place(container, 2)
	c := m.keeping(container)
	if got := m.private(c); got != 3 {
		t.Fatalf("private working set = %d, want 3", got)
	}
	goes.Exit(0)
	m.Fail("Accounting", 1, errors.New("refused")) // no counts, so the pids are listed
	if got := m.private(c); got != 1 {
		t.Errorf("private working set = %d, want 1", got)
	}
	m.FailNth("ProcessMemory", 1, errors.New("refused"))
	m.place(container, 4)
	s := sampleOf(c, time.Time{})
	if q := s.Metrics[stats.MetricPrivateWorkingSet]; s.Processes.Unreadable != 1 || q.Quality != stats.Approximate {
		t.Errorf("%d unreadable, %+v", s.Processes.Unreadable, q)
	}
}

// A handle that was kept does not keep what has ended: the next sample finds it gone and closes it.
func TestCollector_MembersExit_KeptHandlesAreClosed(t *testing.T) {
	m := newMachine(t)
	placed := m.placeMany(container, 5)
	c := m.keeping(container)
	before := m.OpenHandles()
	sampleOf(c, time.Time{})
	for _, p := range placed[:3] {
		p.Exit(0)
	}
	sampleOf(c, time.Time{})
	if n := m.OpenHandles() - before; n != 2 {
		t.Errorf("%d handles for 2 members", n)
	}
}

// S31: many members race with their sampling, from several sides. Run it with the race detector.
func TestS31RacingSamples(t *testing.T) {
	m := newMachine(t)
	m.RecyclePids()
	stays := m.place(container, 1<<40)
	c, cold := m.keeping(container), m.silo()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 200 {
				p, err := m.Place(container, "w.exe", jobtest.Self)
				if err != nil {
					t.Error(err)
					return
				}
				p.Exit(0)
			}
		})
		for _, c := range []*stats.Collector{c, cold} {
			wg.Go(func() {
				for range 100 {
					if s := sampleOf(c, time.Time{}); s.Memory.PrivateWorkingSet < 1<<40 || s.Memory.PrivateWorkingSet >= 1<<41 {
						t.Errorf("private working set = %d, want that of %d once", s.Memory.PrivateWorkingSet, stays.Pid())
					}
					if _, err := c.Processes(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
}

// S32: a job that was closed says so for every metric.
func TestS32ClosedJob(t *testing.T) {
	m := newMachine(t)
	job, err := jobobject.Open(container, jobobject.OpenOptions{Kernel: m.Kernel})
	if err != nil {
		t.Fatal(err)
	}
	c := stats.NewCollector(job, stats.Options{KeepHandles: true})
	if err := job.Close(); err != nil {
		t.Fatal(err)
	}
	s := sampleOf(c, time.Time{})
	for f := stats.MetricMemory; f <= stats.MetricWorkingSet; f++ {
		if s.Has(f) || !errors.Is(s.Metrics[f].Err, jobobject.ErrClosed) {
			t.Errorf("%s: %+v, want ErrClosed", f, s.Metrics[f])
		}
	}
	if _, err := c.Processes(context.Background()); !errors.Is(err, jobobject.ErrClosed) {
		t.Errorf("processes: %v, want ErrClosed", err)
	}
}
