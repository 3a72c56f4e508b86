package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/shim/pod"
	"github.com/siloshim/siloshim/test/sim"
)

// Annotations of a pod's containers.
const (
	containerType = "io.kubernetes.cri.container-type"
	sandboxID     = "io.kubernetes.cri.sandbox-id"
	hostProcess   = "microsoft.com/hostprocess-container"
	inheritUser   = "microsoft.com/hostprocess-inherit-user"
)

// inPod writes the spec of a container of pod "p".
func inPod(t *testing.T, kind string, change func(*specs.Spec), args ...string) string {
	t.Helper()
	return sim.Bundle(t, func(s *specs.Spec) {
		s.Annotations[containerType], s.Annotations[sandboxID] = kind, "p"
		if change != nil {
			change(s)
		}
	}, args...)
}

// sandbox makes the sandbox of pod "p", of job containers, starts it and returns its bundle.
func (w *world) sandbox(t *testing.T) string {
	t.Helper()
	dir := inPod(t, "sandbox", nil, "exit", "1")
	w.MustCreateFrom(t, "p", dir)
	w.MustStart(t, "p", "")
	return dir
}

// workload makes a task in pod "p".
func (w *world) workload(t *testing.T, id string, args ...string) {
	t.Helper()
	w.MustCreateFrom(t, id, inPod(t, "container", nil, args...))
}

// state returns the state of a task.
func (w *world) state(t *testing.T, id string) types.Status {
	t.Helper()
	s, err := w.State(t.Context(), &api.StateRequest{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return s.Status
}

// refused fails the test unless err has the class and contains the words.
func refused(t *testing.T, err error, is func(error) bool, words string) {
	t.Helper()
	if err = errgrpc.ToNative(err); !is(err) || !strings.Contains(err.Error(), words) {
		t.Errorf("the answer is %v, want a refusal with %q", err, words)
	}
}

func TestSandbox_WithoutAProcess_StatesAndEvents(t *testing.T) {
	w := newWorld(t)
	dir := inPod(t, "sandbox", func(s *specs.Spec) { s.Process, s.Root = nil, nil })
	w.MustCreateFrom(t, "p", dir)
	if s := w.state(t, "p"); s != types.Status_CREATED {
		t.Errorf("it is %v, want CREATED", s)
	}
	if pid := w.MustStart(t, "p", ""); pid != uint32(os.Getpid()) {
		t.Errorf("its pid is %d, want the shim's", pid)
	}
	if r, err := w.Pids(t.Context(), &api.PidsRequest{ID: "p"}); err != nil || len(r.Processes) != 1 {
		t.Errorf("its pids are %v, %v; want one", r, err)
	}
	r, err := w.Stats(t.Context(), &api.StatsRequest{ID: "p"})
	if err != nil {
		t.Fatal(err)
	}
	sample := new(stats.Statistics)
	if err := proto.Unmarshal(r.Stats.Value, sample); err != nil {
		t.Fatal(err)
	}
	if f := sample.GetWindows(); f.GetProcessor() == nil || f.GetMemory().GetMemoryUsageCommitBytes() != 0 || f.ContainerStartTime == nil {
		t.Errorf("its statistics are %v, want those of what uses nothing", f)
	}
	_, err = w.Exec(t.Context(), &api.ExecProcessRequest{ID: "p", ExecID: "e", Spec: &anypb.Any{Value: sim.JSON(t, sim.Process("x"))}})
	refused(t, err, errdefs.IsNotImplemented, "has no process")
	if _, err := w.Pause(t.Context(), &api.PauseRequest{ID: "p"}); err != nil || w.state(t, "p") != types.Status_PAUSED {
		t.Errorf("pause: %v, it is %v", err, w.state(t, "p"))
	}
	if _, err := w.Resume(t.Context(), &api.ResumeRequest{ID: "p"}); err != nil {
		t.Error(err)
	}
	_, err = w.Delete(t.Context(), &api.DeleteRequest{ID: "p"})
	refused(t, err, errdefs.IsFailedPrecondition, "cannot delete")
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "p", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	if code := w.MustWait(t, "p", ""); code != 137 {
		t.Errorf("it ended with %d, want 137", code)
	}
	if code := w.MustDelete(t, "p", ""); code != 137 {
		t.Errorf("its delete says %d, want 137", code)
	}
	want := []string{"create p", "start p", "paused p", "resumed p", "exit p", "delete p "}
	if diff := cmp.Diff(want, w.Events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestSandbox_SIGTERM_ExitsWith0(t *testing.T) {
	w := newWorld(t)
	w.sandbox(t)
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "p", Signal: 15}); err != nil {
		t.Fatal(err)
	}
	if code := w.MustWait(t, "p", ""); code != 0 {
		t.Errorf("it ended with %d, want 0", code)
	}
}

func TestPod_DeletedInAnyOrder_LastEndsTheShim(t *testing.T) {
	orders := map[string][]string{
		"workloads first": {"a", "b", "p"}, "sandbox first": {"p", "a", "b"}, "sandbox between": {"a", "p", "b"},
	}
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before := w.Kernel.OpenHandles()
			dir := w.sandbox(t)
			for _, id := range []string{"a", "b"} {
				w.workload(t, id, "sleep")
				w.MustStart(t, id, "")
			}
			for i, id := range order {
				if _, err := w.Kill(t.Context(), &api.KillRequest{ID: id, Signal: 9}); err != nil {
					t.Fatal(err)
				}
				w.MustWait(t, id, "")
				w.MustDelete(t, id, "")
				for _, other := range order[i+1:] {
					if s := w.state(t, other); s != types.Status_RUNNING {
						t.Errorf("after the end of %s, %s is %v", id, other, s)
					}
				}
				// containerd 2.3 requests the end after the sandbox only, other versions after each container
				if id == "p" {
					if left, err := pod.Workloads(dir); err != nil || len(left) > 0 {
						t.Errorf("after the delete of the sandbox there are records of %v, %v", left, err)
					}
					if _, err := w.Shutdown(t.Context(), &api.ShutdownRequest{ID: id}); err != nil {
						t.Fatal(err)
					}
				}
			}
			_ = w.Client.Close() // as containerd does; the shim waits for it
			if err := <-w.Served; err != nil {
				t.Error(err)
			}
			w.Served <- nil // for the end of the test
			if left := w.Kernel.OpenHandles(); left != before {
				t.Errorf("%d handles are open, %d were before", left, before)
			}
			if left, err := pod.Workloads(dir); err != nil || len(left) > 0 {
				t.Errorf("left in the sandbox's bundle: %v, %v", left, err)
			}
		})
	}
}

func TestKill_AllOfASandbox_EndsThePod(t *testing.T) {
	w := newWorld(t)
	w.sandbox(t)
	w.workload(t, "a", "sleep")
	w.MustStart(t, "a", "")
	w.workload(t, "b", "sleep")
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "p", Signal: 9, All: true}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "p"} {
		if code := w.MustWait(t, id, ""); code != 137 {
			t.Errorf("%s ended with %d, want 137", id, code)
		}
	}
	_, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: inPod(t, "container", nil, "sleep")})
	refused(t, err, errdefs.IsFailedPrecondition, "sandbox p is not running")
}

func TestCreate_WorkloadOfAnotherPod_FailedPrecondition(t *testing.T) {
	w := newWorld(t)
	create := func(id, kind string, change func(*specs.Spec)) error {
		_, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: id, Bundle: inPod(t, kind, change, "sleep")})
		return err
	}
	refused(t, create("a", "container", nil), errdefs.IsFailedPrecondition, "sandbox p is not here")
	refused(t, create("q", "sandbox", nil), errdefs.IsFailedPrecondition, "names sandbox p")
	w.MustCreateFrom(t, "p", inPod(t, "sandbox", nil, "x"))
	refused(t, create("a", "container", nil), errdefs.IsFailedPrecondition, "sandbox p is created, not running")
	w.MustStart(t, "p", "")
	refused(t, create("p", "sandbox", nil), errdefs.IsAlreadyExists, "task p")
	other := func(s *specs.Spec) { s.Annotations[sandboxID] = "q" }
	refused(t, create("q", "sandbox", other), errdefs.IsAlreadyExists, "belongs to sandbox p")
	refused(t, create("a", "container", other), errdefs.IsFailedPrecondition, "belongs to sandbox q")
	refused(t, create("a", "container", func(s *specs.Spec) { delete(s.Annotations, hostProcess) }),
		errdefs.IsFailedPrecondition, "sandbox p takes job containers only")
	if err := create("a", "container", nil); err != nil {
		t.Fatal(err)
	}
	refused(t, create("a", "container", nil), errdefs.IsAlreadyExists, "task a")
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "p", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "p", "")
	_, err := w.Start(t.Context(), &api.StartRequest{ID: "a"})
	refused(t, err, errdefs.IsFailedPrecondition, "sandbox p is stopped")
	refused(t, create("b", "container", nil), errdefs.IsFailedPrecondition, "sandbox p is stopped")
	w.MustDelete(t, "p", "")
	refused(t, create("b", "container", nil), errdefs.IsFailedPrecondition, "sandbox p is not running")
}

// TestCreate_Workload_InheritsTheUserOfThePod: a workload needs no user if the pod inherits that of the shim.
func TestCreate_Workload_InheritsTheUserOfThePod(t *testing.T) {
	w := newWorld(t)
	w.sandbox(t)
	alone := func(s *specs.Spec) { delete(s.Annotations, inheritUser) }
	w.MustCreateFrom(t, "a", inPod(t, "container", alone, "exit", "3"))
	w.MustStart(t, "a", "")
	if code := w.MustWait(t, "a", ""); code != 3 {
		t.Errorf("it ended with %d, want 3", code)
	}
	own := func(s *specs.Spec) { s.Annotations[inheritUser] = "false" }
	_, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "b", Bundle: inPod(t, "container", own, "exit", "3")})
	refused(t, err, errdefs.IsInvalidArgument, "process.user.username")
}

// TestCreate_Workload_RecordedInTheSandboxBundle: the verb delete of the sandbox reads the record.
func TestCreate_Workload_RecordedInTheSandboxBundle(t *testing.T) {
	w := newWorld(t)
	dir := w.sandbox(t)
	at := inPod(t, "container", nil, "sleep")
	w.MustCreateFrom(t, "a", at)
	wrong := inPod(t, "container", func(s *specs.Spec) { s.Process.Args[0] = `C:\batch.bat` })
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "b", Bundle: wrong}); err == nil {
		t.Fatal("a batch file was taken for a program")
	}
	left, err := pod.Workloads(dir)
	if diff := cmp.Diff(map[string]string{"a": at}, left); diff != "" || err != nil {
		t.Errorf("the sandbox's workloads: %v (-want +got):\n%s", err, diff)
	}
	if left, err := pod.Workloads(filepath.Join(dir, "gone")); err != nil || len(left) > 0 {
		t.Errorf("of a bundle that is gone: %v, %v", left, err)
	}
}

func TestCreate_SandboxFails_NoPodLeft(t *testing.T) {
	w := newWorld(t)
	forbidden := inPod(t, "sandbox", func(s *specs.Spec) { s.Annotations["microsoft.com/disable-hostprocess-container"] = "true" })
	_, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "p", Bundle: forbidden})
	refused(t, err, errdefs.IsPermissionDenied, "forbids job containers")
	w.sandbox(t)
}
