package dashboard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/siloshim/siloshim/stats"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fakeSource is a machine that a test changes between two looks.
type fakeSource struct {
	mu         sync.Mutex
	now        time.Time
	containers []Container
	details    Details
	err        error
	looks      int
}

func (s *fakeSource) Look(context.Context) (Look, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	look := Look{Time: s.now, Processors: 4}
	for _, c := range s.containers {
		c.Sample.Timestamp, c.Processes = s.now, slices.Clone(c.Processes)
		look.Containers = append(look.Containers, c)
	}
	return look, s.err
}

func (s *fakeSource) Details(context.Context, string, string) Details {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.details
}

// newFake makes containers a/c00 and so on with processes each.
func newFake(containers, processes int) *fakeSource {
	s := &fakeSource{now: epoch}
	pid := uint32(100)
	for i := range containers {
		c := Container{Namespace: "a", ID: fmt.Sprintf("c%02d", i), Kind: "task", Sample: sampled()}
		for range processes {
			pid += 4
			c.Processes = append(c.Processes, stats.Process{
				Pid: pid, Parent: 100, Image: "app.exe", Created: epoch, Known: stats.KnownImage | stats.KnownParent | stats.KnownTimes | stats.KnownMemory | stats.KnownPrivate,
			})
		}
		c.Sample.Processes.Active = uint32(processes)
		s.containers = append(s.containers, c)
	}
	return s
}

func sampled() stats.Sample {
	var s stats.Sample
	for m := range s.Metrics {
		s.Metrics[m] = stats.Provenance{Source: stats.SourceJob, Quality: stats.Exact}
	}
	s.Memory = stats.Memory{Commit: 64 << 20, PeakCommit: 80 << 20, PrivateWorkingSet: 48 << 20}
	return s
}

// work lets a container use processors and storage for an interval, and the clock go on.
func (s *fakeSource) work(cores float64, bytes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(Interval)
	for i := range s.containers {
		c := &s.containers[i]
		used := time.Duration(cores * float64(Interval))
		c.Sample.Processor.User += used
		c.Sample.Storage.ReadBytes += bytes
		for p := range c.Processes {
			c.Processes[p].User += used / time.Duration(len(c.Processes))
		}
	}
}

// looked is a dashboard after some looks, 2 s apart, at containers that use a wave of processor time.
func looked(t *testing.T, s *fakeSource, looks int) *Dashboard {
	t.Helper()
	d := New(s, Options{Host: "node", Version: "silo test"})
	for i := range looks {
		d.Sample(t.Context())
		s.work(1+math.Sin(float64(i)/9), 1<<20)
	}
	return d
}

// must returns a view.
func must(t *testing.T) func(*view, error) *view {
	return func(v *view, err error) *view {
		t.Helper()
		if err != nil || v == nil {
			t.Fatalf("view: %v %v", v, err)
		}
		return v
	}
}

var errRefused = errors.New("list job objects: access is denied")
