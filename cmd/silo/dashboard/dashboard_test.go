package dashboard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/stats"
)

func TestRing_MoreThanItsSize_KeepsTheLatest(t *testing.T) {
	r := newRing[int](3)
	for i := range 8 {
		r.add(i)
	}
	if got := slices.Collect(r.all()); !slices.Equal(got, []int{5, 6, 7}) {
		t.Errorf("oldest first: %v", got)
	}
	if got := slices.Collect(r.latest()); !slices.Equal(got, []int{7, 6, 5}) {
		t.Errorf("newest first: %v", got)
	}
	var none ring[int]
	none.add(1)
	if got := slices.Collect(none.all()); len(got) != 0 {
		t.Errorf("the zero ring keeps %v", got)
	}
}

func TestSample_TwoLooks_RatesOfTheTimeBetween(t *testing.T) {
	s := newFake(2, 2)
	d := New(s, Options{})
	d.Sample(t.Context())
	s.work(1.5, 3<<20)
	d.Sample(t.Context())
	h := d.tracked["a/c00"]
	if h.now.cores != 1.5 || h.now.read != 1.5*(1<<20) || h.now.private != 48<<20 || h.now.commit != 64<<20 {
		t.Errorf("container: %+v", h.now)
	}
	if load := h.loads[processKey{104, epoch}]; load != 0.75 {
		t.Errorf("process: %v processors, want 0.75", load)
	}
	sum := slices.Collect(d.sum.latest())[0]
	if sum.cores != 3 || sum.commit != 128<<20 {
		t.Errorf("machine: %+v", sum)
	}
}

func TestSample_MetricMissing_IsUnknownAndNotZero(t *testing.T) {
	s := newFake(1, 1)
	s.containers[0].Sample.Metrics[stats.MetricStorage] = stats.Provenance{}
	d := looked(t, s, 3)
	if p := d.tracked["a/c00"].now; !math.IsNaN(p.read) || math.IsNaN(p.cores) {
		t.Errorf("%+v, want unknown storage only", p)
	}
}

func TestSample_ContainerMadeAgain_RateIsNotNegative(t *testing.T) {
	s := newFake(1, 1)
	d := looked(t, s, 3)
	s.containers[0].Sample.Processor, s.containers[0].Sample.Storage = stats.Processor{}, stats.Storage{}
	d.Sample(t.Context())
	if p := d.tracked["a/c00"].now; p.cores < 0 || p.read < 0 {
		t.Errorf("%+v", p)
	}
}

// texts are the events of the machine, the oldest first.
func texts(d *Dashboard) (list []string) {
	for e := range d.events.all() {
		list = append(list, fmt.Sprintf("%s %s %v", e.Container, e.text(), e.Bad))
	}
	return list
}

func TestEvents_Changes_AreListedWithTheirReasons(t *testing.T) {
	s := newFake(3, 1)
	d := looked(t, s, 2)
	s.containers[0].Exit = &Exit{Code: 0xC0000005, Reason: "exited", Meaning: "access violation", At: s.now}
	s.containers[1].Restarts, s.containers[1].LastExit = 2, &Exit{Code: 3, Reason: "timeout"}
	s.containers[1].Sample.Violations.Memory = 2
	s.containers = append(s.containers, Container{Namespace: "a", ID: "new", Sample: sampled()})
	d.Sample(t.Context())
	s.work(0, 0)
	s.containers[1].Sample.Violations.Memory = 5
	s.containers[1].Sample.Processes.Terminated = 1
	s.containers = slices.Delete(s.containers, 2, 3)
	d.Sample(t.Context())
	s.work(0, 0)
	s.containers[0].Exit = nil
	s.containers[1].Err = errors.New("the kernel\x1b did not answer")
	d.Sample(t.Context())
	want := []string{
		"a/c00 exited with code 0xC0000005: access violation true",
		"a/c01 restarted, 2 so far; exited with code 3 (timeout) true",
		"a/c01 the memory limit refused 5 allocations true",
		"a/new started false",
		"a/c01 a limit terminated 1 processes true",
		"a/c02 is gone; its exit code is not recorded false",
		"a/c00 started again false",
		`a/c01 cannot be sampled: the kernel\x1b did not answer true`,
	}
	if diff := cmp.Diff(want, texts(d)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestEvents_CountedAgain_AreListedByTheirLatestTime(t *testing.T) {
	s := newFake(2, 1)
	d := looked(t, s, 2)
	for i := range 3 {
		s.containers[0].Sample.Violations.Memory++
		if i == 1 {
			s.containers[1].Restarts++
		}
		d.Sample(t.Context())
		s.work(0, 0)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	views := d.eventsLocked(&d.events, true)
	if len(views) != 2 || views[0].Text != "the memory limit refused 3 allocations" || views[1].Text != "restarted, 1 so far" {
		t.Errorf("%+v", views)
	}
}

func TestEvents_Processes_AreOnThePageOfTheirContainerOnly(t *testing.T) {
	s := newFake(1, 2)
	d := looked(t, s, 2)
	s.containers[0].Processes = append(s.containers[0].Processes[1:], stats.Process{Pid: 900, Image: "new.exe", Known: stats.KnownImage})
	d.Sample(t.Context())
	var got []string
	for e := range d.tracked["a/c00"].events.all() {
		got = append(got, e.text())
	}
	if diff := cmp.Diff([]string{"process 900 new.exe started", "process 104 app.exe ended"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if list := texts(d); len(list) != 0 {
		t.Errorf("the machine lists %v", list)
	}
}

func TestSample_ContainerGone_IsShownUntilItLeavesThePlots(t *testing.T) {
	s := newFake(1, 1)
	d := looked(t, s, 2)
	s.containers = nil
	d.Sample(t.Context())
	if v := must(t)(d.container(t.Context(), "a", "c00")); !strings.Contains(string(v.Parts["about"]), "gone 0 s ago") {
		t.Errorf("about: %s", v.Parts["about"])
	}
	s.now = s.now.Add(Window + time.Second)
	d.Sample(t.Context())
	if v, err := d.container(t.Context(), "a", "c00"); v != nil || err != nil {
		t.Errorf("it is kept for ever: %v %v", v, err)
	}
}

func TestSample_MoreContainersThanTracked_CountsTheOthers(t *testing.T) {
	s := newFake(maxTracked+7, 0)
	d := looked(t, s, 2)
	if v := must(t)(d.machine("name")); len(v.Rows) != maxTracked || !strings.Contains(string(v.Parts["state"]), "7 more containers") {
		t.Errorf("%d rows, %s", len(v.Rows), v.Parts["state"])
	}
	s.containers = s.containers[7:]
	d.Sample(t.Context()) // seven are gone, and make room
	s.now = s.now.Add(2 * Window)
	d.Sample(t.Context())
	if v := must(t)(d.machine("name")); len(v.Rows) != maxTracked || d.hidden != 0 {
		t.Errorf("%d rows, %d hidden", len(v.Rows), d.hidden)
	}
}

func TestTree_Processes_FollowTheirParents(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	p := func(pid, parent uint32, created int64) stats.Process {
		return stats.Process{Pid: pid, Parent: parent, Created: at(created), Known: stats.KnownParent}
	}
	var got []string
	// 40 names a parent that is younger: its pid was used again. 60 and 64 name each other.
	for _, b := range tree([]stats.Process{p(4, 1, 1), p(8, 4, 2), p(12, 8, 3), p(16, 4, 3), p(40, 44, 1), p(44, 1, 5), p(60, 64, 9), p(64, 60, 9)}) {
		got = append(got, fmt.Sprintf("%s%d", b.Indent(), b.Pid))
	}
	want := []string{"4", "├ 8", "\u2003└ 12", "└ 16", "40", "44", "60", "└ 64"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestRun_NoPageOpen_SamplesSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFake(1, 1)
		d := New(s, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		go d.Run(ctx)
		looks := func(span time.Duration) int {
			synctest.Wait()
			s.mu.Lock()
			before := s.looks
			s.mu.Unlock()
			time.Sleep(span) // of the bubble's clock
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.looks - before
		}
		if n := looks(time.Minute); n != 6 {
			t.Errorf("%d looks in an idle minute, want 6", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		before := s.looks
		done := d.watch()
		synctest.Wait()
		if s.looks != before+1 {
			t.Error("a page that opens waits for the next look")
		}
		if n := looks(time.Minute); n != 30 {
			t.Errorf("%d looks in a minute with a page, want 30", n)
		}
		done()
		time.Sleep(Interval)
		if n := looks(time.Minute); n != 6 {
			t.Errorf("%d looks in the minute after, want 6", n)
		}
		cancel()
		<-d.ended
	})
}

// heapBound is the memory that 100 containers with 10 processes each may take, with all history and a page of each kind.
const heapBound = 8 << 20

func TestDashboard_100Containers_MemoryIsBounded(t *testing.T) {
	s := newFake(100, 10)
	before := heap()
	d := looked(t, s, 2*pointsKept)
	must(t)(d.machine("name"))
	must(t)(d.container(t.Context(), "a", "c00"))
	full := heap() - before
	t.Logf("100 containers with 10 processes, %v of history: %d KiB", Window, full>>10)
	if full > heapBound {
		t.Errorf("%d bytes, want at most %d", full, heapBound)
	}
	for range 3 * pointsKept {
		d.Sample(t.Context())
		s.work(1, 1)
	}
	if more := heap() - before; more > heapBound {
		t.Errorf("%d bytes later, want at most %d", more, heapBound)
	}
	runtime.KeepAlive(d)
}

// heap is what is in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestPod_UnpublishedBeforeJobEnds_StaysOnThePage: the rows, the events and the page of the container name its pod.
func TestPod_UnpublishedBeforeJobEnds_StaysOnThePage(t *testing.T) {
	s := newFake(1, 1)
	c := &s.containers[0]
	c.Pod, c.PodUID, c.PodContainer = "shop/web", "uid-1", "app"
	d := looked(t, s, 2)
	check := func(when string) {
		t.Helper()
		m, v := must(t)(d.machine("")), must(t)(d.container(t.Context(), "a", "c00"))
		if row := string(m.Rows[0].HTML); !strings.Contains(row, "<bdi>shop/web</bdi>") || !strings.Contains(row, "<bdi>app · c00 · a · task</bdi>") || v.Title != "shop/web" {
			t.Errorf("%s: title %q, row %s", when, v.Title, row)
		}
		for _, want := range []string{"shop/web", "uid-1", "app"} {
			if !strings.Contains(string(v.Parts["about"]), ">"+want+"<") {
				t.Errorf("%s: the page has no %s: %s", when, want, v.Parts["about"])
			}
		}
	}
	check("at the start")
	c.Pod, c.PodUID, c.PodContainer = "", "", ""
	d.Sample(t.Context())
	check("without its publication")
	s.containers = nil
	d.Sample(t.Context())
	check("at its end")
	if e := d.eventsLocked(&d.events, true); len(e) != 1 || e[0].Container != "shop/web" || e[0].Text != "is gone; its exit code is not recorded" {
		t.Errorf("events %+v", e)
	}
}
