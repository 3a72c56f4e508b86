package sim_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/service"
	"github.com/siloshim/siloshim/test/sim"
)

var soakExecs = flag.Int("soak", 300, "execs of the soak")

// usage counts the resources of the test process that the shim must release.
type usage struct {
	goroutines, handles, files int
	open                       map[string]int // handles or descriptors of the system, by kind
}

func measure(t *testing.T, w *sim.World) (b usage) {
	t.Helper()
	b.handles = w.Kernel.OpenHandles()
	b.open = sim.OpenHandles(t)
	if err := filepath.WalkDir(os.TempDir(), func(string, os.DirEntry, error) error { b.files++; return nil }); err != nil {
		t.Fatal(err)
	}
	b.goroutines = runtime.NumGoroutine()
	return b
}

// within reports whether no count is greater than before. Counts may be smaller: what earlier tests left may have ended.
func (b usage) within(before usage) bool {
	return b.goroutines <= before.goroutines && b.handles <= before.handles &&
		b.files <= before.files && noneAbove(b.open, before.open)
}

// noneAbove reports whether no count is greater than before.
func noneAbove(counts, before map[string]int) bool {
	for kind, n := range counts {
		if n > before[kind] {
			return false
		}
	}
	return true
}

// measureAtRest measures until no count is greater than before, or every goroutine that ends has had time to do so.
func measureAtRest(t *testing.T, w *sim.World, before usage) (b usage) {
	t.Helper()
	for range 1000 {
		if b = measure(t, w); b.within(before) {
			break
		}
		for range 100 {
			runtime.Gosched()
		}
	}
	return b
}

// runExec creates, runs and deletes one exec.
func runExec(t *testing.T, w *sim.World, exec, out string) {
	t.Helper()
	if _, err := w.Exec(t.Context(), &api.ExecProcessRequest{
		ID: "c", ExecID: exec, Stdout: out, Spec: &anypb.Any{Value: sim.JSON(t, sim.Process("args", "x"))},
	}); err != nil {
		t.Fatal(err)
	}
	w.MustStart(t, "c", exec)
	if code := w.MustWait(t, "c", exec); code != 0 {
		t.Fatalf("exec %s ended with %d", exec, code)
	}
	w.MustDelete(t, "c", exec)
	w.TakeEvents() // the test's own memory must not grow
}

// slope is the slope of the line through the points, by least squares.
func slope(points []float64) float64 {
	var x, y, xx, xy float64
	for i, p := range points {
		x, y, xx, xy = x+float64(i), y+p, xx+float64(i*i), xy+float64(i)*p
	}
	n := float64(len(points))
	return (n*xy - x*y) / (n*xx - x*x)
}

// TestSoak_ManyExecs_NothingLeft runs execs, each with its output in a file, in one task. In the end nothing of them is left: no goroutine, no
// handle, no pipe, no file. The slope of the heap is printed.
func TestSoak_ManyExecs_NothingLeft(t *testing.T) {
	silenceLog(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	w := sim.NewWorld(t)
	w.Kernel.RecyclePids() // as Windows does; otherwise the simulated kernel keeps a list of them
	w.MustCreate(t, "c", "sleep")
	w.MustStart(t, "c", "")
	out := "file:///" + strings.TrimPrefix(filepath.ToSlash(filepath.Join(t.TempDir(), "out.log")), "/")
	const warm, samples = 20, 10
	for i := range warm {
		runExec(t, w, fmt.Sprintf("warm%d", i), out)
	}
	before := measure(t, w)
	heap := make([]float64, samples)
	each := max(1, *soakExecs/samples)
	for sample := range samples {
		for i := range each {
			runExec(t, w, fmt.Sprintf("e%d-%d", sample, i), out)
		}
		heap[sample] = float64(sim.HeapInUse())
	}
	after := measureAtRest(t, w, before)
	if !after.within(before) {
		t.Errorf("left: %+v, before: %+v", after, before)
	}
	t.Logf("heap at each sample: %.0f", heap)
	t.Logf("%d execs, %+v before, %+v after; the heap grows by %.3f bytes an exec", each*samples, before, after, slope(heap)/float64(each))
}

// TestShim_IdleDay_NoCall: containers run for a day without a request, after a Stats of each. The shim calls the kernel no more than
// to close what Stats keeps open for a while, and publishes nothing.
func TestShim_IdleDay_NoCall(t *testing.T) {
	silenceLog(t)
	synctest.Test(t, func(t *testing.T) {
		w := &sim.World{Kernel: jobtest.New(), Pods: new(containertest.Machine), Served: make(chan error, 1)}
		w.Kernel.Program("workload.exe", sim.Workload)
		w.ServeInMemory(service.Config{
			Namespace: "ns", Engine: engine.Engine{Kernel: w.Kernel, Pods: w.Pods}, Emit: w.Emit,
			Machine: plan.Machine{Lookup: func(path string) bool { return path == sim.Program }},
		})
		const containers = 10
		for i := range containers {
			id := fmt.Sprint("c", i)
			w.MustCreate(t, id, "sleep")
			w.MustStart(t, id, "")
			if _, err := w.Stats(t.Context(), &api.StatsRequest{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		w.Kernel.ResetCalls()
		w.TakeEvents()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if calls, events := w.Kernel.AllCalls(), w.TakeEvents(); len(calls) > 1 || calls["CloseHandle"] != containers || len(events) > 0 {
			t.Errorf("calls of an idle day: %v; events: %v", calls, events)
		}
		for i := range containers {
			id := fmt.Sprint("c", i)
			w.MustKill(t, id, "")
			w.MustWait(t, id, "")
			w.MustDelete(t, id, "")
		}
		w.Kernel.Wait()
		_, _ = w.Shutdown(t.Context(), &api.ShutdownRequest{Now: true}) // the answer may be lost
		if err := errors.Join(w.Client.Close(), <-w.Served); err != nil {
			t.Error(err)
		}
	})
}
