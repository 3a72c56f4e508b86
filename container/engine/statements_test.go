package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	wire "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats/runhcs"
)

// The statements of package stats, by its numbers, as they hold for the containers of this package.

// windows are the statistics of a container.
func windows(c container.Container, started time.Time) *wire.WindowsContainerStatistics {
	sample, err := c.Stats(context.Background(), started)
	if err != nil {
		return nil
	}
	return runhcs.Statistics(sample).GetWindows()
}

// S13: of a silo that cannot be opened the service tells everything, asked once a request.
func TestS13SealedSilo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		c, _ := b.start(b.plan()) // the simulated kernel has no job of that name
		started := time.Now()
		if w := windows(c, started); w.Processor == nil || w.Memory == nil || w.Storage == nil || !w.ContainerStartTime.AsTime().Equal(started) {
			t.Errorf("statistics %v, want the service's", w)
		}
		if pids, err := pids(c); err != nil || len(pids) != 1 || pids[0] == 0 {
			t.Errorf("pids %v, %v, want that of init", pids, err)
		}
		if n := b.service.Calls("SystemProperties"); n != 2 {
			t.Errorf("the service was asked %d times, want twice", n)
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// S14: where the service fails, too, what is known stays, and a list says why there is none.
func TestS14ServiceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		c, _ := b.start(b.plan())
		b.service.Fault("SystemProperties", hcstest.Fault{Err: hcs.CodeAccessDenied, Times: -1})
		started := time.Now()
		if w := windows(c, started); w.Timestamp == nil || w.Processor != nil || !w.ContainerStartTime.AsTime().Equal(started) {
			t.Errorf("statistics %v, want the times alone", w)
		}
		if pids, err := pids(c); !errors.Is(err, hcs.CodeAccessDenied) || pids != nil {
			t.Errorf("pids %v, %v, want the service's refusal", pids, err)
		}
		b.service.Fault("SystemProperties", hcstest.Fault{Skip: 1 << 30})
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// S24: a job container has its storage attributed from the beginning.
func TestS24JobContainersTrackStorage(t *testing.T) {
	k := jobtest.New()
	if w := windows(newJob(t, k), time.Now()); w.Storage == nil {
		t.Errorf("statistics %v, want storage", w)
	}
	if n := k.Calls("EnableIOAttribution"); n != 1 {
		t.Errorf("attribution was enabled %d times, want once", n)
	}
}

// S25: a job container has no service behind it. What the kernel refuses is missing, and nothing else.
func TestS25JobContainersHaveNoFallback(t *testing.T) {
	k := jobtest.New()
	c := newJob(t, k)
	for call, missing := range map[string]func(*wire.WindowsContainerStatistics) bool{
		"Accounting": func(w *wire.WindowsContainerStatistics) bool {
			return w.Processor == nil && w.Memory != nil && w.Storage != nil
		},
		"IOAttribution": func(w *wire.WindowsContainerStatistics) bool {
			return w.Processor != nil && w.Memory != nil && w.Storage == nil
		},
	} {
		k.Fail(call, -1, errors.New("refused"))
		if w := windows(c, time.Now()); !missing(w) || w.Timestamp == nil {
			t.Errorf("%s refused: statistics %v", call, w)
		}
		k.Fail(call, 0, nil)
	}
}

// hungMemory does not return from queries of memory while hang is set.
type hungMemory struct {
	jobobject.Kernel
	hang atomic.Pointer[chan struct{}]
}

func (k *hungMemory) MemoryUsage(h jobobject.Handle) (jobobject.MemoryUsage, error) {
	if hang := k.hang.Load(); hang != nil {
		<-*hang
	}
	return k.Kernel.MemoryUsage(h)
}

// TestJob_KernelHangs_StatsFailsAndIsNeverOld: there is a sample of earlier, and it is not the answer.
func TestJob_KernelHangs_StatsFailsAndIsNeverOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &hungMemory{Kernel: jobtest.New()}
		c := newJob(t, k)
		if _, err := c.Stats(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		hang := make(chan struct{})
		k.hang.Store(&hang)
		began := time.Now()
		first := make(chan error)
		go func() { // ends below
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			_, err := c.Stats(ctx, time.Time{})
			first <- err
		}()
		synctest.Wait()
		if s, err := c.Stats(t.Context(), time.Time{}); !errdefs.IsUnavailable(err) || time.Since(began) != 100*time.Millisecond {
			t.Errorf("behind it: %+v, %v after %v, want unavailable after 100ms", s, err, time.Since(began))
		}
		if list, err := c.Processes(t.Context()); !errdefs.IsUnavailable(err) {
			t.Errorf("processes behind it: %v, %v, want unavailable", list, err)
		}
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 15*time.Second {
			t.Errorf("the one that hangs: %v after %v, want its deadline", err, time.Since(began))
		}
		k.hang.Store(nil)
		close(hang)
		synctest.Wait()
		now := time.Now()
		if s, err := c.Stats(t.Context(), time.Time{}); err != nil || s.Timestamp.Before(now) {
			t.Errorf("afterwards: sample of %v, %v, want one of %v", s.Timestamp, err, now)
		}
	})
}
