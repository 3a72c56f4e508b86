package stats_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

// S1: the silo's job is \Container_ and the id, opened by its NT name with no right but to query.
func TestS01OpensTheSiloByNameForQueriesOnly(t *testing.T) {
	m := newMachine(t)
	m.place(container, 5)
	k := &accessKernel{Kernel: m.Kernel}
	c := stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: k})
	if s := sampleOf(c, time.Time{}); s.Memory.PrivateWorkingSet != 5 {
		t.Errorf("private working set = %d, want 5", s.Memory.PrivateWorkingSet)
	}
	if k.name != container || k.access != jobobject.AccessQuery {
		t.Errorf("opened %s with %#x, want %s with %#x", k.name, k.access, container, jobobject.AccessQuery)
	}
}

// accessKernel remembers how a job was opened.
type accessKernel struct {
	jobobject.Kernel
	name   string
	access jobobject.Access
}

func (k *accessKernel) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	k.name, k.access = name, access
	return k.Kernel.OpenJob(name, access)
}

// S2: the job is opened for each call and closed before it returns, also when every query fails.
func TestS02ClosesTheSiloAfterEachCall(t *testing.T) {
	m := newMachine(t)
	m.placeMany(container, 3)
	before := m.OpenHandles()
	for _, call := range []string{"MemoryUsage", "Accounting", "IOAttribution", "ProcessIDs", "ProcessMemory"} {
		m.Fail(call, -1, errors.New("refused"))
		c := m.silo()
		sampleOf(c, time.Time{})
		_, _ = c.Processes(context.Background()) // fails or not, it leaves nothing open
		if n := m.OpenHandles(); n != before {
			t.Fatalf("%d handles left open with %s refused", n-before, call)
		}
		m.Fail(call, 0, nil)
	}
}

// S17: the timestamp is from before the first query. S19: the uptime is from after the last.
func TestS17S19TimesAroundTheQueries(t *testing.T) {
	m := newMachine(t)
	m.place(container, 1)
	started := m.Now()
	k := &slowKernel{Kernel: m.Kernel, machine: m}
	s := sampleOf(stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: k, Now: m.Now}), started)
	if !s.Timestamp.Equal(started) {
		t.Errorf("timestamp = %v, want %v", s.Timestamp, started)
	}
	if s.Uptime != 3*time.Second || !s.Started.Equal(started) {
		t.Errorf("up %v since %v, want 3s since %v", s.Uptime, s.Started, started)
	}
}

// slowKernel takes a second for each of the three queries about a job.
type slowKernel struct {
	jobobject.Kernel
	machine *machine
	order   []string
}

func (k *slowKernel) take(what string) {
	k.order = append(k.order, what)
	k.machine.Advance(time.Second)
}

func (k *slowKernel) MemoryUsage(h jobobject.Handle) (jobobject.MemoryUsage, error) {
	k.take("memory")
	return k.Kernel.MemoryUsage(h)
}

func (k *slowKernel) Accounting(h jobobject.Handle) (jobobject.Accounting, error) {
	k.take("processor")
	return k.Kernel.Accounting(h)
}

func (k *slowKernel) IOAttribution(h jobobject.Handle) (jobobject.IOAttribution, error) {
	k.take("storage")
	return k.Kernel.IOAttribution(h)
}

func (k *slowKernel) ProcessIDs(h jobobject.Handle, pids []uint32) (int, int, error) {
	k.order = append(k.order, "members")
	return k.Kernel.ProcessIDs(h, pids)
}

// S18: memory, processor, storage, members.
func TestS18Order(t *testing.T) {
	m := newMachine(t)
	k := &slowKernel{Kernel: m.Kernel, machine: m}
	sampleOf(stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: k}), m.Now())
	if got := strings.Join(k.order, " "); got != "memory processor storage members" {
		t.Errorf("queried %s", got)
	}
}

// S20: a system that was only opened has the start of its oldest member, marked as such, and no uptime without one.
func TestS20StartOfAnOpenedSystem(t *testing.T) {
	m := newMachine(t)
	c := m.silo()
	if s := sampleOf(c, time.Time{}); s.Has(stats.MetricStarted) || s.Uptime != 0 || !s.Started.IsZero() {
		t.Errorf("an empty system is up %v since %v", s.Uptime, s.Started)
	}
	oldest := m.place(container, 1)
	made := m.Now()
	m.Advance(time.Minute)
	m.place(container, 1)
	m.Advance(time.Minute)
	for range 2 {
		s := sampleOf(c, time.Time{})
		if !s.Started.Equal(made) || s.Metrics[stats.MetricStarted].Quality != stats.Approximate {
			t.Errorf("started %v, %v, want %v", s.Started, s.Metrics[stats.MetricStarted], made)
		}
		if s.Uptime < 2*time.Minute || s.Uptime > 2*time.Minute+time.Millisecond {
			t.Errorf("uptime = %v, want 2m", s.Uptime)
		}
		oldest.Exit(0) // what was found out stays
	}
	given := made.Add(time.Second)
	if s := sampleOf(c, given); s.Metrics[stats.MetricStarted].Quality != stats.Exact || !s.Started.Equal(given) {
		t.Errorf("started %v, %v, want what the caller says", s.Started, s.Metrics[stats.MetricStarted])
	}
}

// S21, S22, S23: memory with its peak, processor time of exited processes included, attributed storage.
func TestS21S22S23Metrics(t *testing.T) {
	m := newMachine(t)
	exited, living := m.place(container, 10), m.place(container, 20)
	exited.Commit(7 << 20)
	exited.Use(3*time.Second, 2*time.Second, 5)
	exited.Transfer(jobobject.IOAttribution{ReadCount: 1, ReadBytes: 2, WriteCount: 3, WriteBytes: 4})
	exited.Exit(0)
	living.Commit(4 << 20)
	living.Use(time.Second, time.Second, 2)
	c := m.keeping(container)
	c.SetLimits(&stats.Limits{CommitBytes: 1 << 30})
	c.Observe(jobobject.JobMemoryLimit)
	c.Observe(jobobject.NewProcess)
	s := sampleOf(c, m.Now())
	if s.Memory.Commit != 4<<20 || s.Memory.PeakCommit < 9<<20 || s.Memory.PrivateWorkingSet != 20 || s.Memory.PageFaults != 7 {
		t.Errorf("memory = %+v", s.Memory)
	}
	if s.Processor != (stats.Processor{User: 4 * time.Second, Kernel: 3 * time.Second}) || s.Processor.Total() != 7*time.Second {
		t.Errorf("processor = %+v", s.Processor)
	}
	if s.Storage != (stats.Storage{Reads: 1, ReadBytes: 2, Writes: 3, WriteBytes: 4}) {
		t.Errorf("storage = %+v", s.Storage)
	}
	if s.Processes != (stats.ProcessCounts{Active: 1, Total: 2}) {
		t.Errorf("processes = %+v", s.Processes)
	}
	if s.Limits.CommitBytes != 1<<30 || s.Violations != (stats.Violations{Memory: 1}) {
		t.Errorf("limits = %+v, violations = %+v", s.Limits, s.Violations)
	}
	for f, p := range s.Metrics {
		want := stats.Exact
		if stats.Metric(f) == stats.MetricViolations {
			want = stats.Approximate // the kernel does not promise its messages
		}
		if p.Quality != want || p.Err != nil || p.Source == stats.SourceNone {
			t.Errorf("%s: %+v, want %s", stats.Metric(f), p, want)
		}
	}
}

// TestCollector_NoMessageYet_ViolationsUnknown: violations of a job whose messages nothing reads are unknown, not 0. The first message
// of any kind shows that it is listened to.
func TestCollector_NoMessageYet_ViolationsUnknown(t *testing.T) {
	m := newMachine(t)
	m.place(container, 10)
	c := m.keeping(container)
	s := sampleOf(c, m.Now())
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, known := c.Violations(); known || s.Has(stats.MetricViolations) || strings.Contains(string(text), `"violations":{"memory"`) {
		t.Errorf("violations are known before the first message: %s", text)
	}
	c.Observe(jobobject.NewProcess)
	s = sampleOf(c, m.Now())
	if text, err = json.Marshal(s); err != nil {
		t.Fatal(err)
	}
	if v, known := c.Violations(); !known || v != (stats.Violations{}) || !strings.Contains(string(text), `"violations":{"memory":0`) {
		t.Errorf("violations = %+v, known %v, after a message without one: %s", v, known, text)
	}
	for _, kind := range []jobobject.MessageKind{
		jobobject.JobMemoryLimit, jobobject.ProcessMemoryLimit, jobobject.ActiveProcessLimit, jobobject.EndOfJobTime,
		jobobject.EndOfProcessTime, jobobject.JobCycleTimeLimit, jobobject.NotificationLimit, jobobject.ExitProcess,
	} {
		c.Observe(kind)
	}
	if v, want := sampleOf(c, m.Now()).Violations, (stats.Violations{Memory: 2, Processes: 1, Time: 3, Other: 1}); v != want || v.Total() != 7 {
		t.Errorf("violations = %+v, want %+v", v, want)
	}
}

// S24: without attribution the storage alone is missing. Each metric fails alone.
func TestS24EachMetricFailsAlone(t *testing.T) {
	refused := errors.New("refused")
	for call, lost := range map[string][]stats.Metric{
		"IOAttribution": {stats.MetricStorage},
		"MemoryUsage":   nil, // the members stand in
		"Accounting":    {stats.MetricProcessor, stats.MetricProcesses},
		"ProcessIDs":    {stats.MetricPrivateWorkingSet, stats.MetricWorkingSet},
		"ProcessMemory": {stats.MetricPrivateWorkingSet, stats.MetricWorkingSet},
	} {
		t.Run(call, func(t *testing.T) {
			m := newMachine(t)
			m.place(container, 1).Commit(6 << 20)
			m.Fail(call, -1, refused)
			c := m.keeping(container)
			c.SetLimits(&stats.Limits{})
			s := sampleOf(c, m.Now())
			missing := map[stats.Metric]bool{stats.MetricViolations: true}
			for _, f := range lost {
				missing[f] = true
				if !errors.Is(s.Metrics[f].Err, refused) {
					t.Errorf("%s: %v, want the reason", f, s.Metrics[f].Err)
				}
			}
			for f := range s.Metrics {
				if f := stats.Metric(f); s.Has(f) == missing[f] {
					t.Errorf("%s is %s", f, s.Metrics[f].Quality)
				}
			}
			if s.Memory.Commit != 6<<20 {
				t.Errorf("commit = %d, want %d", s.Memory.Commit, 6<<20)
			}
		})
	}
}

// A job that does not count its memory: the sum of its members stands in, and says so.
func TestCollector_JobCountsNoMemory_CommitIsThatOfItsMembers(t *testing.T) {
	m := newMachine(t)
	m.Fail("MemoryUsage", -1, jobobject.ErrNotSupported)
	p := m.place(container, 1)
	c := m.keeping(container)
	for _, commit := range []uint64{8 << 20, 3 << 20} {
		p.Commit(commit)
		s := sampleOf(c, time.Time{})
		got := s.Metrics[stats.MetricMemory]
		if s.Memory.Commit != commit || s.Memory.PeakCommit != 8<<20 ||
			got.Source != stats.SourceProcesses || got.Quality != stats.Approximate || !errors.Is(got.Err, jobobject.ErrNotSupported) {
			t.Errorf("memory = %+v, %+v", s.Memory, got)
		}
	}
	if n := m.Calls("MemoryUsage"); n != 1 {
		t.Errorf("queried %d times what the kernel does not support, want once", n)
	}
}

// A metric that overflows sticks at the top and does not wrap around.
func TestCollector_SumOverflows_StaysAtTheLargestNumber(t *testing.T) {
	m := newMachine(t)
	m.place(container, math.MaxUint64-sharedByAll)
	m.place(container, math.MaxUint64-sharedByAll)
	if got := m.private(m.keeping(container)); got != math.MaxUint64 {
		t.Errorf("private working set = %d, want the largest number", got)
	}
	long := stats.Processor{User: math.MaxInt64, Kernel: 1}
	if long.Total() != math.MaxInt64 {
		t.Errorf("total = %v, want the longest time", long.Total())
	}
}

// sharedByAll leaves room for what the simulated kernel adds to make the whole working set.
const sharedByAll = 1 << 20

// The handles go after an idle while, and the next sample opens them again.
func TestCollector_Idle_HandlesAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := jobtest.New()
		if _, err := k.CreateJob(container, sddl); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Place(container, "w.exe", jobtest.Self); err != nil {
			t.Fatal(err)
		}
		job, err := jobobject.Open(container, jobobject.OpenOptions{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		c := stats.NewCollector(job, stats.Options{KeepHandles: true, Idle: time.Minute})
		before := k.OpenHandles()
		for round := range 3 {
			sampleOf(c, time.Time{})
			time.Sleep(59 * time.Second)
			synctest.Wait()
			if n := k.OpenHandles(); n != before+1 {
				t.Fatalf("round %d: %d handles kept for a minute, want 1", round, n-before)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := k.OpenHandles(); n != before {
			t.Errorf("%d handles kept longer", n-before)
		}
		sampleOf(c, time.Time{})
		c.Release()
		c.Release()
		sampleOf(c, time.Time{})
		if n := k.OpenHandles(); n != before {
			t.Errorf("%d handles kept after the release", n-before)
		}
	})
}
