package stats_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

// named makes a collector that keeps handles of processes, but not of its job.
func (m *machine) named(o stats.NamedOptions) *stats.Collector {
	m.t.Helper()
	o.Kernel, o.Now, o.KeepHandles = m.Kernel, m.Now, true
	c := stats.NewNamedCollector(container, o)
	m.t.Cleanup(c.Release)
	return c
}

func TestNamedCollector_KeptHandles_SixAndNCalls(t *testing.T) {
	const n = 15
	m := newMachine(t)
	m.placeMany(container, n)
	c := m.named(stats.NamedOptions{})
	sampleOf(c, time.Time{})
	for range 3 {
		if calls := m.calls(func() { sampleOf(c, time.Time{}) }); calls > 6+n {
			t.Errorf("%d calls, want at most %d: %v", calls, 6+n, m.AllCalls())
		}
	}
}

func TestNamedCollector_NoJob_FailsAndNamesTheReason(t *testing.T) {
	m := newMachine(t)
	c := stats.NewNamedCollector(`\Container_none`, stats.NamedOptions{Kernel: m.Kernel})
	s, err := c.Sample(t.Context(), time.Time{})
	if !errors.Is(err, jobobject.ErrNotExist) || !errors.Is(s.Metrics[stats.MetricMemory].Err, jobobject.ErrNotExist) {
		t.Errorf("sample: %v, memory %v, want ErrNotExist", err, s.Metrics[stats.MetricMemory].Err)
	}
	if _, err := c.Processes(t.Context()); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("processes: %v, want ErrNotExist", err)
	}
}

// TestNamedCollector_AnotherJobOfTheName_OnlyItsMembersCount: a kept handle belongs to a member of the earlier job, and
// the counts of the later one are the same.
func TestNamedCollector_AnotherJobOfTheName_OnlyItsMembersCount(t *testing.T) {
	const name = `\Container_again`
	k := jobtest.New()
	c := stats.NewSiloCollector("again", stats.NamedOptions{Kernel: k, Now: k.Now, KeepHandles: true})
	for i, private := range []uint64{1 << 20, 2 << 20} {
		h, err := k.CreateJob(name, sddl)
		if err != nil {
			t.Fatal(err)
		}
		k.Advance(time.Hour)
		created := k.Now()
		p, err := k.Place(name, "w.exe", jobtest.Self)
		if err != nil {
			t.Fatal(err)
		}
		p.PrivateWorkingSet(private)
		s := sampleOf(c, time.Time{})
		if s.Memory.PrivateWorkingSet != private || s.Processes.Total != 1 || s.Started.Before(created) {
			t.Errorf("job %d: private working set %d of %+v since %v, want %d", i, s.Memory.PrivateWorkingSet, s.Processes, s.Started, private)
		}
		if list, err := c.Processes(t.Context()); err != nil || len(list) != 1 || list[0].Pid != p.Pid() {
			t.Errorf("job %d: processes %+v, %v, want only that of this job", i, list, err)
		}
		p.Exit(0)
		if err := k.CloseHandle(h); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Sample(t.Context(), time.Time{}); !errors.Is(err, jobobject.ErrNotExist) {
			t.Errorf("job %d is kept open: %v", i, err)
		}
	}
	if n := k.OpenHandles(); n != 0 {
		t.Errorf("%d handles left open", n)
	}
}

func TestNamedCollector_QueryLimits_SampleHasThoseInForce(t *testing.T) {
	m := newMachine(t)
	job, err := jobobject.Create(jobobject.Options{Name: "limited", Kernel: m.Kernel})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := job.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := job.SetLimits(t.Context(), jobobject.Limits{JobMemory: 1 << 30, ActiveProcesses: 7, CPURate: 2500}); err != nil {
		t.Fatal(err)
	}
	c := stats.NewNamedCollector("limited", stats.NamedOptions{Kernel: m.Kernel, QueryLimits: true})
	s := sampleOf(c, time.Time{})
	want := stats.Limits{CommitBytes: 1 << 30, ActiveProcesses: 7, ProcessorRate: 2500}
	if s.Limits != want || s.Metrics[stats.MetricLimits].Source != stats.SourceJob {
		t.Errorf("limits %+v, %+v, want %+v", s.Limits, s.Metrics[stats.MetricLimits], want)
	}
	refused := errors.New("refused")
	m.Fail("QueryLimits", -1, refused)
	if s := sampleOf(c, time.Time{}); s.Has(stats.MetricLimits) || !errors.Is(s.Metrics[stats.MetricLimits].Err, refused) {
		t.Errorf("limits %+v, want the reason why there are none", s.Metrics[stats.MetricLimits])
	}
}

func TestNode_ContextEnded_NoJobIsListed(t *testing.T) {
	m := newMachine(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	lists, err := stats.NewNode(m.Kernel).Processes(ctx, []*jobobject.Job{m.open(container)})
	if !errors.Is(err, context.Canceled) || len(lists) != 1 || lists[0] != nil || m.Calls("ProcessIDs") != 0 {
		t.Errorf("lists = %v, %v after %d queries", lists, err, m.Calls("ProcessIDs"))
	}
}

func TestSample_Add_QualityIsThatOfTheWorsePart(t *testing.T) {
	refused := errors.New("refused")
	pod := stats.Idle(time.Unix(60, 0), time.Unix(0, 0))
	exact, lacking := stats.Sample{}, stats.Sample{}
	for m := range exact.Metrics {
		exact.Metrics[m] = stats.Provenance{Source: stats.SourceJob, Quality: stats.Exact}
	}
	exact.Memory.Commit, exact.Processor.User, exact.Processes.Active = 1<<63, 1<<62, 2
	lacking.Metrics = exact.Metrics
	lacking.Memory.Commit, lacking.Processor.User = 1<<63, 1<<62
	lacking.Metrics[stats.MetricStorage] = stats.Provenance{Err: refused}
	pod.Add(&exact)
	if got := pod.Metrics[stats.MetricStorage]; got.Quality != stats.Exact || got.Source != stats.SourceJob {
		t.Errorf("storage of one: %+v, want exact", got)
	}
	pod.Add(&lacking)
	if got := pod.Metrics[stats.MetricStorage]; got.Quality != stats.Approximate || !errors.Is(got.Err, refused) {
		t.Errorf("storage of both: %+v, want approximate for the reason of the one", got)
	}
	if pod.Metrics[stats.MetricMemory].Quality != stats.Exact || pod.Memory.Commit != 1<<64-1 || pod.Processor.User != 1<<63-1 {
		t.Errorf("sums %d and %v, want the largest numbers", pod.Memory.Commit, pod.Processor.User)
	}
	if pod.Processes.Active != 2 || pod.Uptime != time.Minute || pod.Metrics[stats.MetricViolations].Quality != stats.Missing {
		t.Errorf("pod = %+v", pod)
	}
	var none stats.Sample
	none.Add(&stats.Sample{})
	if none.Has(stats.MetricMemory) {
		t.Error("a sum of what is missing has a value")
	}
}
