package stats_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

// TestG1Calls: a sample of N processes is 3 + N kernel calls with handles kept, and 6 + 4N without; non-members on the
// machine change nothing, and the list of the machine is never queried.
func TestG1Calls(t *testing.T) {
	for _, n := range []int{0, 1, 15, 60, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := newMachine(t)
			m.placeMany(otherJob, 300)
			m.placeMany(container, n)
			started := m.Now()
			warm, cold := m.keeping(container), m.silo()
			sampleOf(warm, started)
			for round := range 3 {
				if calls := m.calls(func() { sampleOf(warm, started) }); calls > 3+n {
					t.Errorf("round %d: %d calls warm, want at most %d: %v", round, calls, 3+n, m.AllCalls())
				}
				if calls := m.calls(func() { sampleOf(cold, started) }); calls > 6+4*n {
					t.Errorf("round %d: %d calls cold, want at most %d: %v", round, calls, 6+4*n, m.AllCalls())
				}
			}
			if m.Calls("SystemProcesses") != 0 {
				t.Error("the list of the machine was queried")
			}
		})
	}
}

// TestG1CallsAfterAChange: a process that joins costs the list and its opening, one that exits the list and its closing.
func TestG1CallsAfterAChange(t *testing.T) {
	const n = 10
	m := newMachine(t)
	placed := m.placeMany(container, n)
	c := m.keeping(container)
	sampleOf(c, time.Time{})
	m.place(container, 1)
	if calls, want := m.calls(func() { sampleOf(c, time.Time{}) }), 3+1+(n+1)+2; calls > want {
		t.Errorf("%d calls after a process joined, want at most %d: %v", calls, want, m.AllCalls())
	}
	placed[0].Exit(0)
	if calls, want := m.calls(func() { sampleOf(c, time.Time{}) }), 3+1+n+1; calls > want {
		t.Errorf("%d calls after a process exited, want at most %d: %v", calls, want, m.AllCalls())
	}
}

// TestG1Allocations: a sample with handles kept allocates nothing.
func TestG1Allocations(t *testing.T) {
	m := newMachine(t)
	m.placeMany(container, 15)
	c := m.keeping(container)
	c.SetLimits(&stats.Limits{CommitBytes: 1 << 30})
	started := m.Now()
	if n := testing.AllocsPerRun(100, func() { sampleOf(c, started) }); n != 0 {
		t.Errorf("%v allocations a sample, want none", n)
	}
}

// TestG1AllocationsWithMissingMetrics: nor does it where the kernel has no memory and no storage metrics, once it has refused them.
func TestG1AllocationsWithMissingMetrics(t *testing.T) {
	m := newMachine(t)
	m.placeMany(container, 15)
	m.Fail("MemoryUsage", -1, jobobject.ErrNotSupported)
	m.Fail("IOAttribution", -1, jobobject.ErrNotSupported)
	c := m.keeping(container)
	if n := testing.AllocsPerRun(100, func() { sampleOf(c, time.Time{}) }); n != 0 {
		t.Errorf("%v allocations a sample, want none", n)
	}
}

// TestG3OneContainer: the process list of one container is one list and two queries a process with handles kept, and
// three if their handles are counted; without, opening, checking, naming and closing come to five more. What never
// changes of a process is not queried again. The list of the machine is never queried.
func TestG3OneContainer(t *testing.T) {
	for _, n := range []int{0, 1, 15, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := newMachine(t)
			m.placeMany(otherJob, 300)
			m.placeMany(container, n)
			counting := stats.NewCollector(m.open(container), stats.Options{KeepHandles: true, CountHandles: true})
			t.Cleanup(counting.Release)
			check := func(what string, c *stats.Collector, want int) {
				t.Helper()
				list := func() {
					if got, err := c.Processes(context.Background()); err != nil || len(got) != n {
						t.Errorf("%d processes, %v, want %d", len(got), err, n)
					}
				}
				list()
				if calls := m.calls(list); calls > want {
					t.Errorf("%d calls %s, want at most %d: %v", calls, what, want, m.AllCalls())
				}
			}
			check("warm", m.keeping(container), 1+2*n)
			check("warm, with their handles", counting, 1+3*n)
			check("cold", m.silo(), 4+7*n)
			if m.Calls("SystemProcesses") != 0 {
				t.Error("the list of the machine was queried")
			}
		})
	}
}

// TestG3SampleAfterAList: a list in between does not make the next sample list the pids again.
func TestG3SampleAfterAList(t *testing.T) {
	m := newMachine(t)
	m.placeMany(container, 5)
	c := m.keeping(container)
	sampleOf(c, time.Time{})
	if _, err := c.Processes(context.Background()); err != nil {
		t.Fatal(err)
	}
	if calls := m.calls(func() { sampleOf(c, time.Time{}) }); calls > 3+5 {
		t.Errorf("%d calls, want at most %d: %v", calls, 3+5, m.AllCalls())
	}
}

// TestG3Node: the processes of 100 containers with 1,000 processes are at most 2 + 100 calls.
func TestG3Node(t *testing.T) {
	const containers, each = 100, 10
	m := newMachine(t)
	var jobs []*jobobject.Job
	for i := range containers {
		name := fmt.Sprintf(`\Container_n%d`, i)
		h := m.must(m.CreateJob(name, sddl))
		jobs = append(jobs, m.open(name))
		m.placeMany(name, each)
		t.Cleanup(func() {
			if err := m.CloseHandle(h); err != nil {
				t.Error(err)
			}
		})
	}
	m.placeMany("", 300)
	node := stats.NewNode(m.Kernel)
	calls := m.calls(func() {
		lists, err := node.Processes(context.Background(), jobs)
		if err != nil {
			t.Fatal(err)
		}
		for i, list := range lists {
			if len(list) != each {
				t.Errorf("container %d has %d processes, want %d", i, len(list), each)
			}
		}
	})
	if calls > 2+containers {
		t.Errorf("%d calls, want at most %d: %v", calls, 2+containers, m.AllCalls())
	}
}

// BenchmarkSample is the collector's own work: the simulated kernel costs next to nothing.
func BenchmarkSample(b *testing.B) {
	for _, n := range []int{1, 15, 60} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			k := jobtest.New()
			if _, err := k.CreateJob(container, sddl); err != nil {
				b.Fatal(err)
			}
			for range n {
				if _, err := k.Place(container, "w.exe", jobtest.Self); err != nil {
					b.Fatal(err)
				}
			}
			job, err := jobobject.Open(container, jobobject.OpenOptions{Kernel: k})
			if err != nil {
				b.Fatal(err)
			}
			c := stats.NewCollector(job, stats.Options{KeepHandles: true})
			started := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				sampleOf(c, started)
			}
		})
	}
}
