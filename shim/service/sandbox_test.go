package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	sandbox "github.com/containerd/containerd/api/runtime/sandbox/v1"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// podOfJobs is the options of Kubernetes' runtime interface for a pod with host process: windows.security_context.
var podOfJobs = &anypb.Any{TypeUrl: "runtime.v1.PodSandboxConfig", Value: []byte{9<<3 | 2, 4, 1<<3 | 2, 2, 3 << 3, 1}}

// podWorld is a shim with a pod "p" of the Sandbox API.
type podWorld struct {
	*world
	sandbox.TTRPCSandboxService
	bundle string
}

// newPod makes a sandbox, without starting it.
func newPod(t *testing.T) *podWorld {
	t.Helper()
	w := newWorld(t)
	p := &podWorld{world: w, TTRPCSandboxService: sandbox.NewTTRPCSandboxClient(w.Client), bundle: t.TempDir()}
	if _, err := p.CreateSandbox(t.Context(), &sandbox.CreateSandboxRequest{SandboxID: "p", BundlePath: p.bundle, Options: podOfJobs}); err != nil {
		t.Fatal(err)
	}
	return p
}

func newRunningPod(t *testing.T) *podWorld {
	t.Helper()
	p := newPod(t)
	r, err := p.StartSandbox(t.Context(), &sandbox.StartSandboxRequest{SandboxID: "p"})
	if err != nil || r.Pid != uint32(os.Getpid()) || r.CreatedAt == nil {
		t.Fatalf("start: %v, %v; want the shim's pid", r, err)
	}
	return p
}

// running makes a workload and starts it.
func (p *podWorld) running(t *testing.T, id string, args ...string) {
	t.Helper()
	p.workload(t, id, args...)
	p.MustStart(t, id, "")
}

func (p *podWorld) status(t *testing.T) *sandbox.SandboxStatusResponse {
	t.Helper()
	r, err := p.SandboxStatus(t.Context(), &sandbox.SandboxStatusRequest{SandboxID: "p", Verbose: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSandboxAPI_Lifecycle_StatesAndEvents(t *testing.T) {
	p := newPod(t)
	_, err := p.PingSandbox(t.Context(), &sandbox.PingRequest{SandboxID: "p"})
	refused(t, err, errdefs.IsFailedPrecondition, "sandbox p is created")
	if s := p.status(t); s.State != "SANDBOX_NOTREADY" || s.CreatedAt == nil || s.ExitedAt != nil {
		t.Errorf("before the start: %v", s)
	}
	if _, err := p.StartSandbox(t.Context(), &sandbox.StartSandboxRequest{SandboxID: "p"}); err != nil {
		t.Fatal(err)
	}
	_, err = p.StartSandbox(t.Context(), &sandbox.StartSandboxRequest{SandboxID: "p"})
	refused(t, err, errdefs.IsFailedPrecondition, "cannot start in state running")
	if _, err := p.PingSandbox(t.Context(), &sandbox.PingRequest{SandboxID: "p"}); err != nil {
		t.Error(err)
	}
	r, err := p.Platform(t.Context(), &sandbox.PlatformRequest{SandboxID: "p"})
	if err != nil || r.Platform.OS != "windows" || r.Platform.Architecture != runtime.GOARCH {
		t.Errorf("platform: %v, %v", r, err)
	}
	p.MustCreateFrom(t, "a", inPod(t, "container", func(s *specs.Spec) {
		s.Windows.Resources = &specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: new(uint64(64 << 20))}}
	}, "sleep"))
	p.MustStart(t, "a", "")
	p.workload(t, "b", "sleep")
	s := p.status(t)
	var workloads []struct {
		ID, State string
		Pid       uint32
		Limits    map[string]uint64
	}
	if err := json.Unmarshal([]byte(s.Info["workloads"]), &workloads); err != nil {
		t.Fatal(err)
	}
	if s.State != "SANDBOX_READY" || s.Pid != uint32(os.Getpid()) || s.Info["kind"] != "host process" || s.Info["pid"] != fmt.Sprint(os.Getpid()) ||
		len(workloads) != 2 || workloads[0].State != "running" || workloads[0].Pid == 0 ||
		workloads[0].Limits["memory_bytes"] != 64<<20 || len(workloads[1].Limits) > 0 || workloads[1].State != "created" {
		t.Errorf("running: %v", s)
	}
	if _, err := p.StopSandbox(t.Context(), &sandbox.StopSandboxRequest{SandboxID: "p"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if code := p.MustWait(t, id, ""); code != 137 {
			t.Errorf("%s ended with %d, want 137", id, code)
		}
	}
	if w, err := p.WaitSandbox(t.Context(), &sandbox.WaitSandboxRequest{SandboxID: "p"}); err != nil || w.ExitStatus != 0 || w.ExitedAt == nil {
		t.Errorf("wait: %v, %v; want 0", w, err)
	}
	if s := p.status(t); s.State != "SANDBOX_NOTREADY" || s.ExitedAt == nil {
		t.Errorf("stopped: %v", s)
	}
	if _, err := p.StopSandbox(t.Context(), &sandbox.StopSandboxRequest{SandboxID: "p"}); err != nil {
		t.Errorf("a second stop: %v", err)
	}
	refused(t, second(p.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: inPod(t, "container", nil, "sleep")})),
		errdefs.IsFailedPrecondition, "sandbox p is not running")
	p.shutDown(t)
	events := p.Events() // of the workloads, in any order; none of the sandbox
	slices.Sort(events)
	want := []string{"create a", "create b", "delete a ", "delete b ", "exit a", "exit b", "start a"}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func second[T any](_ T, err error) error { return err }

// shutDown ends the shim as containerd does, and waits for it.
func (p *podWorld) shutDown(t *testing.T) {
	t.Helper()
	if _, err := p.ShutdownSandbox(t.Context(), &sandbox.ShutdownSandboxRequest{SandboxID: "p"}); err != nil {
		t.Fatal(err)
	}
	_ = p.Client.Close()
	if err := <-p.Served; err != nil {
		t.Error(err)
	}
	p.Served <- nil // for the end of the test
}

func TestShutdownSandbox_RunningPod_NothingLeft(t *testing.T) {
	p := newRunningPod(t)
	before := p.Kernel.OpenHandles()
	p.running(t, "a", "sleep")
	p.workload(t, "b", "sleep")
	p.shutDown(t)
	if left := p.Kernel.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
	left, err := filepath.Glob(filepath.Join(p.bundle, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the bundle: %v, %v", left, err)
	}
}

// TestShutdownSandbox_NoSandbox_EndsTheShim: containerd requests it after a CreateSandbox that has failed.
func TestShutdownSandbox_NoSandbox_EndsTheShim(t *testing.T) {
	w := newWorld(t)
	p := &podWorld{world: w, TTRPCSandboxService: sandbox.NewTTRPCSandboxClient(w.Client)}
	refused(t, second(p.StartSandbox(t.Context(), &sandbox.StartSandboxRequest{SandboxID: "p"})), errdefs.IsFailedPrecondition, "create it first")
	refused(t, second(p.StopSandbox(t.Context(), &sandbox.StopSandboxRequest{SandboxID: "p"})), errdefs.IsNotFound, "the shim has none")
	wrong := &anypb.Any{TypeUrl: "example.Options"}
	refused(t, second(p.CreateSandbox(t.Context(), &sandbox.CreateSandboxRequest{SandboxID: "p", BundlePath: t.TempDir(), Options: wrong})),
		errdefs.IsInvalidArgument, `"example.Options"`)
	p.shutDown(t)
}

// TestStopSandbox_Timeout_KillsTheRest: a workload that ends after SIGTERM is not killed; the others are, after the
// timeout.
func TestStopSandbox_Timeout_KillsTheRest(t *testing.T) {
	p := newRunningPod(t)
	p.running(t, "good", "event")
	p.running(t, "deaf", "deaf")
	<-p.Deaf
	if _, err := p.StopSandbox(t.Context(), &sandbox.StopSandboxRequest{SandboxID: "p", TimeoutSecs: 1}); err != nil {
		t.Fatal(err)
	}
	if code := p.MustWait(t, "good", ""); code == 137 {
		t.Error("a workload that ends after SIGTERM was killed")
	}
	if code := p.MustWait(t, "deaf", ""); code != 137 {
		t.Errorf("a workload that ignores SIGTERM ended with %d, want 137", code)
	}
}

// TestStopSandbox_ClientCancels_KillsNothing: a later stop ends the pod.
func TestStopSandbox_ClientCancels_KillsNothing(t *testing.T) {
	p := newRunningPod(t)
	p.running(t, "deaf", "deaf")
	<-p.Deaf
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := p.StopSandbox(ctx, &sandbox.StopSandboxRequest{SandboxID: "p", TimeoutSecs: 3600}); err == nil {
		t.Error("the stop of a workload that does not end has succeeded")
	}
	if s := p.state(t, "deaf"); s != tasktypes.Status_RUNNING {
		t.Errorf("the workload is %v, want RUNNING", s)
	}
	if _, err := p.StopSandbox(t.Context(), &sandbox.StopSandboxRequest{SandboxID: "p"}); err != nil {
		t.Error(err)
	}
}

func TestSandboxAPI_Sandbox_IsATask(t *testing.T) {
	p := newRunningPod(t)
	if s := p.state(t, "p"); s != tasktypes.Status_RUNNING {
		t.Errorf("it is %v", s)
	}
	if r, err := p.Pids(t.Context(), &api.PidsRequest{ID: "p"}); err != nil || len(r.Processes) != 1 {
		t.Errorf("its pids: %v, %v; containerd treats a shim without processes as dead", r, err)
	}
	if _, err := p.Stats(t.Context(), &api.StatsRequest{ID: "p"}); err != nil {
		t.Error(err)
	}
	refused(t, second(p.Delete(t.Context(), &api.DeleteRequest{ID: "p"})), errdefs.IsFailedPrecondition, "ShutdownSandbox")
	refused(t, second(p.Create(t.Context(), &api.CreateTaskRequest{ID: "p", Bundle: p.bundle})), errdefs.IsAlreadyExists, "p")
	p.running(t, "a", "exit", "0")
	p.MustWait(t, "a", "")
	p.MustDelete(t, "a", "")
	// containerd 2.4 requests the end after each container, and the pod remains
	if _, err := p.Shutdown(t.Context(), &api.ShutdownRequest{ID: "a"}); err != nil {
		t.Error(err)
	}
	p.running(t, "b", "exit", "0")
}

func TestSandboxMetrics_TwoWorkloads_Sum(t *testing.T) {
	p := newRunningPod(t)
	var want uint64
	for _, id := range []string{"a", "b"} {
		p.running(t, id, "sleep")
		r, err := p.Stats(t.Context(), &api.StatsRequest{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		want += sample(t, r.Stats).GetMemory().GetMemoryUsageCommitBytes()
	}
	r, err := p.SandboxMetrics(t.Context(), &sandbox.SandboxMetricsRequest{SandboxID: "p"})
	if err != nil {
		t.Fatal(err)
	}
	got := sample(t, r.Metrics.Data)
	if r.Metrics.ID != "p" || want == 0 || got.GetMemory().GetMemoryUsageCommitBytes() != want || got.ContainerStartTime == nil {
		t.Errorf("the pod uses %v, want %d bytes of commit", r.Metrics, want)
	}
}

func sample(t *testing.T, a *anypb.Any) *stats.WindowsContainerStatistics {
	t.Helper()
	s := new(stats.Statistics)
	if err := proto.Unmarshal(a.Value, s); err != nil || a.TypeUrl != "containerd.runhcs.stats.v1.Statistics" {
		t.Fatalf("statistics of type %q: %v", a.TypeUrl, err)
	}
	return s.GetWindows()
}
