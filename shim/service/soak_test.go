package service_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

var soakExecs = flag.Int("soak", 300, "execs of the soak")

// belongings is what a process has that it might forget to give back.
type belongings struct {
	goroutines, handles, files int
	open                       map[string]int // what the system has open for the process, by kind
}

func (w *world) count(t *testing.T) (b belongings) {
	t.Helper()
	b.handles = w.kernel.OpenHandles()
	b.open = openHandles(t)
	if err := filepath.WalkDir(os.TempDir(), func(string, os.DirEntry, error) error { b.files++; return nil }); err != nil {
		t.Fatal(err)
	}
	b.goroutines = runtime.NumGoroutine()
	return b
}

// within tells whether there is no more of anything than before. There may be less: what earlier tests left has ended.
func (b belongings) within(before belongings) bool {
	return b.goroutines <= before.goroutines && b.handles <= before.handles &&
		b.files <= before.files && noneAbove(b.open, before.open)
}

// noneAbove tells whether no kind has a greater count than before.
func noneAbove(counts, before map[string]int) bool {
	for kind, n := range counts {
		if n > before[kind] {
			return false
		}
	}
	return true
}

// rest counts until there is no more than before, or there have been turns enough for every goroutine that is ending.
func (w *world) rest(t *testing.T, before belongings) (b belongings) {
	t.Helper()
	for range 1000 {
		if b = w.count(t); b.within(before) {
			break
		}
		for range 100 {
			runtime.Gosched()
		}
	}
	return b
}

// soak takes one exec through its life.
func (w *world) soak(t *testing.T, exec, out string) {
	t.Helper()
	if _, err := w.Exec(t.Context(), &api.ExecProcessRequest{
		ID: "c", ExecID: exec, Stdout: out, Spec: &anypb.Any{Value: marshal(t, process("args", "x"))},
	}); err != nil {
		t.Fatal(err)
	}
	w.start(t, "c", exec)
	if code := w.wait(t, "c", exec); code != 0 {
		t.Fatalf("exec %s ended with %d", exec, code)
	}
	w.remove(t, "c", exec)
	w.mu.Lock()
	w.events = nil // the test's own memory is not to grow
	w.mu.Unlock()
}

// inUse is the heap after collections: what lies in a pool outlives one of them.
func inUse() float64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// slope is that of the straight line through the points, by least squares.
func slope(points []float64) float64 {
	var x, y, xx, xy float64
	for i, p := range points {
		x, y, xx, xy = x+float64(i), y+p, xx+float64(i*i), xy+float64(i)*p
	}
	n := float64(len(points))
	return (n*xy - x*y) / (n*xx - x*x)
}

// TestSoak runs execs, each with its output in a file, through one task. In the end nothing is left of them: no
// goroutine, no handle, no pipe, no file. The slope of the heap is for the reader.
func TestSoak(t *testing.T) {
	quiet(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	w := newWorld(t)
	w.kernel.RecyclePids() // as Windows does; else the kernel keeps a list of them
	w.create(t, "c", "sleep")
	w.start(t, "c", "")
	out := "file:///" + strings.TrimPrefix(filepath.ToSlash(filepath.Join(t.TempDir(), "out.log")), "/")
	const warm, looks = 20, 10
	for i := range warm {
		w.soak(t, fmt.Sprintf("warm%d", i), out)
	}
	before := w.count(t)
	heap := make([]float64, looks)
	each := max(1, *soakExecs/looks)
	for look := range looks {
		for i := range each {
			w.soak(t, fmt.Sprintf("e%d-%d", look, i), out)
		}
		heap[look] = inUse()
	}
	after := w.rest(t, before)
	if !after.within(before) {
		t.Errorf("left: %+v, before: %+v", after, before)
	}
	t.Logf("heap at each look: %.0f", heap)
	t.Logf("%d execs, %+v before, %+v after; the heap grows by %.3f bytes an exec", each*looks, before, after, slope(heap)/float64(each))
}
