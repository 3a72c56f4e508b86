package service_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/log"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/test/sim"
)

// TestKill_InitLeavesAChild_ChildGetsTheEvent: init ends after a console event. Its child gets the event too, and ends
// before init's exit event.
func TestKill_InitLeavesAChild_ChildGetsTheEvent(t *testing.T) {
	w := newWorld(t)
	ready, got := make(chan struct{}), make(chan uint32, 1)
	w.Kernel.Program("child.exe", func(p *jobtest.Proc) uint32 {
		events := p.Events()
		close(ready)
		select {
		case e := <-events:
			got <- uint32(e)
		case <-p.Done():
		}
		return 0
	})
	w.Kernel.Program("workload.exe", func(p *jobtest.Proc) uint32 {
		if _, err := p.Spawn("child.exe"); err != nil {
			t.Error(err)
		}
		<-p.Done()
		return 0
	})
	w.MustCreate(t, "c", "sleep")
	w.MustStart(t, "c", "")
	<-ready
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 15}); err != nil {
		t.Fatal(err)
	}
	if status := w.MustWait(t, "c", ""); status != jobtest.StatusControlCExit {
		t.Errorf("init ended with %#x, want %#x", status, jobtest.StatusControlCExit)
	}
	select {
	case e := <-got:
		if e != 6 {
			t.Errorf("the child got event %d, want 6", e)
		}
	default:
		t.Error("init's exit came before the child got the event")
	}
	w.MustDelete(t, "c", "")
	if diff := cmp.Diff([]string{"create c", "start c", "exit c", "delete c "}, w.Events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// line is the one with these words.
func (j *journal) line(words string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		if strings.Contains(line, words) {
			return line
		}
	}
	return ""
}

// read sends the log here until the end of the test.
func read(t *testing.T) *journal {
	t.Helper()
	j := &journal{}
	before := log.L.Logger.Out
	log.L.Logger.SetOutput(j)
	t.Cleanup(func() { log.L.Logger.SetOutput(before) })
	return j
}

// TestStart_MemoryRefused_OOMEventAndReason: init exits after the kernel has refused it memory. The OOM event is between
// start and exit, and the log has the reason.
func TestStart_MemoryRefused_OOMEventAndReason(t *testing.T) {
	w, journal := newWorld(t), read(t)
	w.Kernel.Program("workload.exe", func(p *jobtest.Proc) uint32 {
		for range 1000 { // more refusals than the shim keeps messages
			if p.Commit(64 << 20) {
				return 0
			}
		}
		return 3
	})
	limited := sim.Bundle(t, func(s *specs.Spec) {
		s.Windows.Resources = &specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: new(uint64(16 << 20))}}
	}, "commit")
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: limited}); err != nil {
		t.Fatal(err)
	}
	w.MustStart(t, "c", "")
	if code := w.MustWait(t, "c", ""); code != 3 {
		t.Errorf("init ended with %d, want 3", code)
	}
	events := w.Events()
	if len(events) < 4 || events[1] != "start c" || events[2] != "oom c" || events[len(events)-1] != "exit c" {
		t.Errorf("events %v, want oom between start and exit", events)
	}
	if line := journal.line("process has ended"); !strings.Contains(line, "out of memory") {
		t.Errorf("the log has %q, want the reason", line)
	}
	w.MustDelete(t, "c", "")
}

// stoppable makes and starts the task "c" with these annotations. Its program returns the console event that it gets, and
// goes on.
func (w *world) stoppable(t *testing.T, annotations map[string]string) <-chan uint32 {
	t.Helper()
	got, ready := make(chan uint32, 1), make(chan struct{})
	w.Kernel.Program("workload.exe", func(p *jobtest.Proc) uint32 {
		events := p.Events()
		close(ready)
		select {
		case e := <-events:
			got <- uint32(e)
		case <-p.Done():
		}
		<-p.Done()
		return 0
	})
	dir := sim.Bundle(t, func(s *specs.Spec) {
		for key, value := range annotations {
			s.Annotations[key] = value
		}
	}, "stubborn")
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: dir}); err != nil {
		t.Fatal(err)
	}
	w.MustStart(t, "c", "")
	<-ready
	return got
}

// TestKill_SIGTERM_StopSignalThenGrace: the program gets the event of the annotation, and is killed after the grace period.
func TestKill_SIGTERM_StopSignalThenGrace(t *testing.T) {
	for name, event := range map[string]uint32{"CTRL_C": 0, "CTRL_BREAK": 1, "": 6} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			annotations := map[string]string{"io.siloshim.stop-grace": "10ms"}
			if name != "" {
				annotations["io.siloshim.stop-signal"] = name
			}
			got := w.stoppable(t, annotations)
			if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 15}); err != nil {
				t.Fatal(err)
			}
			if code := w.MustWait(t, "c", ""); code != 137 {
				t.Errorf("init ended with %d, want 137", code)
			}
			select {
			case e := <-got:
				if e != event {
					t.Errorf("the program got event %d, want %d", e, event)
				}
			default: // it was ended before it read the event
			}
			w.MustDelete(t, "c", "")
		})
	}
}

// TestKill_SIGTERMWithoutGrace_WaitsForTheProgram: SIGTERM never becomes a SIGKILL.
func TestKill_SIGTERMWithoutGrace_WaitsForTheProgram(t *testing.T) {
	w := newWorld(t)
	got := w.stoppable(t, nil)
	for range 2 {
		if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 15}); err != nil {
			t.Fatal(err)
		}
	}
	if e := <-got; e != 6 {
		t.Errorf("the program got event %d, want 6", e)
	}
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "c", "")
	w.MustDelete(t, "c", "")
}

func TestCreate_InvalidStopAnnotation_InvalidArgument(t *testing.T) {
	w := newWorld(t)
	for key, value := range map[string]string{"io.siloshim.stop-signal": "SIGFOO", "io.siloshim.stop-grace": "soon"} {
		dir := sim.Bundle(t, func(s *specs.Spec) { s.Annotations[key] = value }, "sleep")
		_, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: dir})
		if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "invalid argument") {
			t.Errorf("%s %q: %v, want invalid argument that names it", key, value, err)
		}
	}
}
