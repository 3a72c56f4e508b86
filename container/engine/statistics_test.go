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

// The tests S13 to S25 are promises of package stats, for the containers of this package.

// statisticsOf returns the statistics of a container.
func statisticsOf(c container.Container, started time.Time) *wire.WindowsContainerStatistics {
	sample, err := c.Stats(context.Background(), started)
	if err != nil {
		return nil
	}
	return runhcs.Statistics(sample).GetWindows()
}

// S13: if the silo cannot be accessKernel, the service is queried once for each call.
func TestS13_SiloCannotBeOpened_ServiceIsQueried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		c, _ := env.start(env.plan()) // the simulated kernel has no job of this name
		started := time.Now()
		if w := statisticsOf(c, started); w.Processor == nil || w.Memory == nil || w.Storage == nil || !w.ContainerStartTime.AsTime().Equal(started) {
			t.Errorf("statistics %v, want the service's", w)
		}
		if pids, err := pids(c); err != nil || len(pids) != 1 || pids[0] == 0 {
			t.Errorf("pids %v, %v, want that of the init process", pids, err)
		}
		if n := env.service.Calls("SystemProperties"); n != 2 {
			t.Errorf("the service was queried %d times, want twice", n)
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

// S14: if the service fails as well, the known metrics stay, and the list of processes is an error.
func TestS14_ServiceFails_KnownMetricsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		c, _ := env.start(env.plan())
		env.service.Fault("SystemProperties", hcstest.Fault{Err: hcs.CodeAccessDenied, Times: -1})
		started := time.Now()
		if w := statisticsOf(c, started); w.Timestamp == nil || w.Processor != nil || !w.ContainerStartTime.AsTime().Equal(started) {
			t.Errorf("statistics %v, want the times alone", w)
		}
		if pids, err := pids(c); !errors.Is(err, hcs.CodeAccessDenied) || pids != nil {
			t.Errorf("pids %v, %v, want the service's refusal", pids, err)
		}
		env.service.Fault("SystemProperties", hcstest.Fault{Skip: 1 << 30})
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

// S24: storage is attributed to a job container from its start.
func TestS24_HostProcess_StorageIsAttributed(t *testing.T) {
	k := jobtest.New()
	if w := statisticsOf(newJob(t, k), time.Now()); w.Storage == nil {
		t.Errorf("statistics %v, want storage", w)
	}
	if n := k.Calls("EnableIOAttribution"); n != 1 {
		t.Errorf("attribution was enabled %d times, want once", n)
	}
}

// S25: a job container has no service to query. Only the metrics that the kernel refuses are missing.
func TestS25_HostProcess_NoFallback(t *testing.T) {
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
		if w := statisticsOf(c, time.Now()); !missing(w) || w.Timestamp == nil {
			t.Errorf("%s refused: statistics %v", call, w)
		}
		k.Fail(call, 0, nil)
	}
}

// The service is not queried.
func TestWCOW_Statistics_ComeFromSilo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		env.silo()
		c, _ := env.start(env.plan())
		if s := statisticsOf(c, time.Now()); s.GetProcessor() == nil || s.GetStorage() == nil {
			t.Errorf("statistics %v", s)
		}
		if _, err := pids(c); err != nil {
			t.Error(err)
		}
		if n := env.service.Calls("SystemProperties"); n != 0 {
			t.Errorf("the service was queried %d times", n)
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

// hangingMemory hangs in queries of memory while hang is set.
type hangingMemory struct {
	jobobject.Kernel
	hang atomic.Pointer[chan struct{}]
}

func (k *hangingMemory) MemoryUsage(h jobobject.Handle) (jobobject.MemoryUsage, error) {
	if hang := k.hang.Load(); hang != nil {
		<-*hang
	}
	return k.Kernel.MemoryUsage(h)
}

// An earlier sample exists and is not returned.
func TestHostProcess_KernelHangs_StatsFailsAndIsNotStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &hangingMemory{Kernel: jobtest.New()}
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
		if s, err := c.Stats(t.Context(), time.Time{}); !errdefs.IsUnavailable(err) || time.Since(began) != container.BusyAfter {
			t.Errorf("behind it: %+v, %v after %v, want unavailable after %v", s, err, time.Since(began), container.BusyAfter)
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
