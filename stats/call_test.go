package stats_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/stats"
)

// stalled is a kernel whose answer about the memory of a job comes when answer returns.
type stalled struct {
	jobobject.Kernel
	mu     sync.Mutex // guards the field below
	answer func()
}

func (k *stalled) stall(answer func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answer = answer
}

func (k *stalled) MemoryUsage(h jobobject.Handle) (jobobject.MemoryUsage, error) {
	k.mu.Lock()
	answer := k.answer
	k.mu.Unlock()
	if answer != nil {
		answer()
	}
	return k.Kernel.MemoryUsage(h)
}

// stall runs a test with a simulated clock, and with two containers on a kernel that can stall.
func stall(t *testing.T, test func(t *testing.T, k *stalled, c, other *stats.Collector)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := jobtest.New()
		k := &stalled{Kernel: sim}
		var collectors []*stats.Collector
		for _, name := range []string{container, otherJob} {
			h, err := sim.CreateJob(name, sddl)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sim.Place(name, "w.exe", jobtest.Self); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := sim.CloseHandle(h); err != nil {
					t.Error(err)
				}
				if n := sim.OpenHandles(); name == container && n != 0 { // the last to be closed
					t.Errorf("%d handles left open", n)
				}
			})
		}
		for i, name := range []string{container, otherJob} {
			kernel := jobobject.Kernel(k)
			if i == 1 {
				kernel = sim
			}
			collectors = append(collectors, stats.NewNamedCollector(name, stats.NamedOptions{Kernel: kernel, BusyAfter: 100 * time.Millisecond}))
		}
		test(t, k, collectors[0], collectors[1])
		synctest.Wait()
	})
}

// bounded samples with so much time, and returns how long it took.
func bounded(c *stats.Collector, bound time.Duration) (s stats.Sample, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	began := time.Now()
	s, err = c.Sample(ctx, time.Time{})
	return s, time.Since(began), err
}

func TestCollector_KernelHangs_CallEndsWithItsContext(t *testing.T) {
	stall(t, func(t *testing.T, k *stalled, c, _ *stats.Collector) {
		hang := make(chan struct{})
		k.stall(func() { <-hang })
		if _, took, err := bounded(c, 15*time.Second); !errors.Is(err, context.DeadlineExceeded) || took != 15*time.Second {
			t.Errorf("sample: %v after %v, want the deadline after 15s", err, took)
		}
		k.stall(nil)
		close(hang)
		synctest.Wait()
		began := time.Now()
		s, _, err := bounded(c, time.Second)
		if err != nil || s.Timestamp.Before(began) || !s.Has(stats.MetricMemory) {
			t.Errorf("the next sample: %+v, %v, want one of its time and not the late one", s, err)
		}
	})
}

func TestCollector_KernelHangs_CallsBehindFailSoonAndOthersWork(t *testing.T) {
	stall(t, func(t *testing.T, k *stalled, c, other *stats.Collector) {
		hang := make(chan struct{})
		k.stall(func() { <-hang })
		var all sync.WaitGroup
		all.Go(func() { _, _, _ = bounded(c, 15*time.Second) }) // how it ends is the test above
		synctest.Wait()
		if _, took, err := bounded(c, 15*time.Second); !errors.Is(err, stats.ErrBusy) || took != 100*time.Millisecond {
			t.Errorf("sample behind it: %v after %v, want ErrBusy after 100ms", err, took)
		}
		began := time.Now()
		if _, err := c.Processes(t.Context()); !errors.Is(err, stats.ErrBusy) || time.Since(began) != 0 {
			t.Errorf("processes behind it: %v after %v, want ErrBusy at once", err, time.Since(began))
		}
		if _, took, err := bounded(other, time.Second); err != nil || took != 0 {
			t.Errorf("sample of another container: %v after %v", err, took)
		}
		close(hang)
		all.Wait()
	})
}

func TestCollector_KernelHangs_OneGoroutineStays(t *testing.T) {
	stall(t, func(t *testing.T, k *stalled, c, _ *stats.Collector) {
		hang := make(chan struct{})
		k.stall(func() { <-hang })
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if _, _, err := bounded(c, time.Second); err == nil {
					t.Error("a sample of a kernel that hangs")
				}
			})
		}
		all.Wait()
		synctest.Wait()
		if n := goroutinesIn("stats.within"); n != 1 {
			t.Errorf("%d goroutines stay behind one call that hangs, want its own", n)
		}
		close(hang)
	})
}

// goroutinesIn counts the goroutines of this process that are in a function. Their number in all would have those of other tests.
func goroutinesIn(function string) (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, function) {
			n++
		}
	}
	return n
}

func TestCollector_SlowKernel_CallsQueue(t *testing.T) {
	stall(t, func(t *testing.T, k *stalled, c, _ *stats.Collector) {
		k.stall(func() { time.Sleep(60 * time.Millisecond) })
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, _, err := bounded(c, time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestCollector_ContextEndsBeforeTheTurn_NothingIsQueried(t *testing.T) {
	m := newMachine(t)
	c := m.silo()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := m.calls(func() {
		if _, err := c.Sample(ctx, time.Time{}); !errors.Is(err, context.Canceled) {
			t.Errorf("sample: %v", err)
		}
	})
	if calls != 0 {
		t.Errorf("%d kernel calls", calls)
	}
}

// panicOf is what f panics with.
func panicOf(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

func TestCollector_KernelPanics_CallerPanics(t *testing.T) {
	stall(t, func(t *testing.T, k *stalled, c, _ *stats.Collector) {
		k.stall(func() { panic("boom") })
		for what, call := range map[string]func(){
			"bounded": func() { _, _, _ = bounded(c, time.Second) },
			"inline":  func() { sampleOf(c, time.Time{}) },
		} {
			if p, _ := panicOf(call).(string); !strings.Contains(p, "boom") {
				t.Errorf("%s: panic %q, want the kernel's", what, p)
			}
		}
		k.stall(func() {
			time.Sleep(time.Minute)
			panic("late")
		})
		_, _, _ = bounded(c, time.Second) // its caller has left when it panics
		time.Sleep(time.Hour)
		k.stall(nil)
		if p, _ := panicOf(func() { _, _, _ = bounded(c, time.Second) }).(string); !strings.Contains(p, "late") {
			t.Errorf("panic %q, want the late one", p)
		}
		if _, _, err := bounded(c, time.Second); err != nil {
			t.Errorf("the sample after a panic: %v", err)
		}
	})
}

// deaf is a service that answers when its context ends.
type deaf struct{}

func (deaf) Properties(ctx context.Context, _ ...schema.PropertyType) (*schema.Properties, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestSystem_ServiceHangs_KernelsPartIsReturnedAndCallsBehindFailSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.place(container, 5)
		m.Fail("IOAttribution", -1, errors.New("refused"))
		s := stats.NewSystem(stats.SystemOptions{
			ID: containerID, SystemType: "container", Service: deaf{}, Kernel: m.Kernel, BusyAfter: 100 * time.Millisecond,
		})
		var all sync.WaitGroup
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			p, err := s.Properties(ctx, time.Time{}, schema.PropertyStatistics)
			if !errors.Is(err, context.DeadlineExceeded) || p.Statistics == nil || p.Statistics.Memory.PrivateWorkingSet != 5 {
				t.Errorf("properties = %+v, %v, want the kernel's part and the deadline", p, err)
			}
		})
		synctest.Wait()
		began := time.Now()
		_, err := s.Properties(t.Context(), time.Time{}, schema.PropertyProcessList)
		if took := time.Since(began); !errors.Is(err, stats.ErrBusy) || took != 100*time.Millisecond {
			t.Errorf("behind it: %v after %v, want ErrBusy after 100ms", err, took)
		}
		all.Wait()
	})
}
