package stats_test

import (
	"context"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

// machine is a simulated kernel with the silo of one container on it, and another job.
type machine struct {
	*jobtest.Kernel
	t testing.TB
}

const (
	containerID = "c1"
	container   = `\Container_c1`
	otherJob    = `\Container_other`
)

// sddl is any security descriptor.
const sddl = jobobject.DefaultSecurityDescriptor

// newMachine makes a machine whose end fails the test if a handle is left open.
func newMachine(t testing.TB) *machine {
	t.Helper()
	m := &machine{Kernel: jobtest.New(), t: t}
	for _, name := range []string{container, otherJob} {
		h := m.must(m.CreateJob(name, sddl))
		if err := m.EnableIOAttribution(h); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := m.CloseHandle(h); err != nil {
				t.Error(err)
			}
		})
	}
	before := m.OpenHandles()
	t.Cleanup(func() {
		if n := m.OpenHandles(); n != before {
			t.Errorf("%d handles left open", n-before)
		}
	})
	return m
}

func (m *machine) must(h jobobject.Handle, err error) jobobject.Handle {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
	return h
}

// open opens a job; the end of the test closes it.
func (m *machine) open(name string) *jobobject.Job {
	m.t.Helper()
	job, err := jobobject.Open(name, jobobject.OpenOptions{Kernel: m.Kernel})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		if err := job.Close(); err != nil {
			m.t.Error(err)
		}
	})
	return job
}

// place puts a process with this private working set into a job.
func (m *machine) place(job string, private uint64) *jobtest.Proc {
	m.t.Helper()
	p, err := m.Place(job, "w.exe", jobtest.Self)
	if err != nil {
		m.t.Fatal(err)
	}
	p.PrivateWorkingSet(private)
	return p
}

func (m *machine) placeMany(job string, n int) (placed []*jobtest.Proc) {
	m.t.Helper()
	for range n {
		placed = append(placed, m.place(job, 1<<20))
	}
	return placed
}

// calls counts what f calls of the kernel.
func (m *machine) calls(f func()) int {
	m.ResetCalls()
	f()
	n := 0
	for _, times := range m.AllCalls() {
		n += times
	}
	return n
}

// keeping makes a collector that keeps its handles until the end of the test.
func (m *machine) keeping(name string) *stats.Collector {
	m.t.Helper()
	c := stats.NewCollector(m.open(name), stats.Options{KeepHandles: true, Now: m.Now})
	m.t.Cleanup(c.Release)
	return c
}

// silo makes a collector of the container as a system that was only opened.
func (m *machine) silo() *stats.Collector {
	return stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: m.Kernel, Now: m.Now})
}

// private is what a sample says of the private working set, which it must have.
func (m *machine) private(c *stats.Collector) uint64 {
	m.t.Helper()
	s := sampleOf(c, time.Time{})
	if !s.Has(stats.MetricPrivateWorkingSet) {
		m.t.Fatalf("no private working set: %v", s.Metrics[stats.MetricPrivateWorkingSet].Err)
	}
	return s.Memory.PrivateWorkingSet
}

// sampleOf samples with a context that does not end, so that it cannot fail.
func sampleOf(c *stats.Collector, started time.Time) stats.Sample {
	s, err := c.Sample(context.Background(), started)
	if err != nil {
		panic(err)
	}
	return s
}
