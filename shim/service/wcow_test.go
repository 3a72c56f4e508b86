package service_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	taskapi "github.com/containerd/containerd/api/types/task"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/test/sim"
)

func TestService_WCOWLifecycle_StatesAndEvents(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	dir := w.MustCreateC(t, "sleep")
	document, ok := w.Service.Document("c")
	if !ok {
		t.Fatal("there is no system")
	}
	c := document.Container
	if document.Owner != plan.Owner || c.GuestOs.HostName != "box" || len(c.Storage.Layers) != 2 ||
		c.Storage.Path == "" || c.Networking.Namespace == "" || c.ContainerCredentialGuard.Cookie != "cookie-of-c" {
		t.Errorf("the service got %+v", document)
	}
	init := w.MustStart(t, "c", "")
	w.MustExec(t, "c", "e", "exit", "7")
	w.MustStart(t, "c", "e")
	if code := w.MustWait(t, "c", "e"); code != 7 {
		t.Errorf("the exec ended with %d, want 7", code)
	}
	w.MustDelete(t, "c", "e")
	s, err := w.State(t.Context(), &api.StateRequest{ID: "c"})
	if err != nil || s.Status != taskapi.Status_RUNNING || s.Pid != init {
		t.Errorf("state %v, %v; want RUNNING with pid %d", s, err, init)
	}
	w.MustKill(t, "c", "")
	if code := w.MustWait(t, "c", ""); code != 137 {
		t.Errorf("init ended with %d, want 137", code)
	}
	w.MustDelete(t, "c", "")
	want := []string{"create c", "start c", "exec-added e", "exec-started e", "exit e", "delete c e", "exit c", "delete c "}
	if diff := cmp.Diff(want, w.Events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	w.NothingLeft(t)
	if _, err := os.Stat(filepath.Join(dir, "silo-resources.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the list of resources is left: %v", err)
	}
}

func TestDelete_WCOWAfterExit_ShutsDown(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	w.MustCreateC(t, "exit", "3")
	w.MustStart(t, "c", "")
	if code := w.MustWait(t, "c", ""); code != 3 {
		t.Errorf("init ended with %d, want 3", code)
	}
	w.MustDelete(t, "c", "")
	if w.Service.Calls("ShutDownSystem") != 1 || w.Service.Calls("TerminateSystem") != 0 {
		t.Errorf("%d shutdowns, %d terminations; want one shutdown", w.Service.Calls("ShutDownSystem"), w.Service.Calls("TerminateSystem"))
	}
}

func TestCreate_WCOWStdoutFile_GetsTheOutput(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	out := filepath.Join(t.TempDir(), "out")
	dir := sim.WCOWBundle(t, nil, "args", "a b", "c")
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: dir, Stdout: "file:///" + strings.TrimPrefix(filepath.ToSlash(out), "/")}); err != nil {
		t.Fatal(err)
	}
	w.MustStart(t, "c", "")
	w.MustWait(t, "c", "")
	got, err := os.ReadFile(out)
	if err != nil || string(got) != "\"a b\"\n\"c\"\n" {
		t.Errorf("output %q, %v", got, err)
	}
}

// TestStats_WCOW_FromTheComputeService: if the silo's job cannot be opened the compute service has all statistics.
func TestStats_WCOW_FromTheComputeService(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	usage := hcstest.Usage{User: 3e9, Kernel: 2e9, Commit: 4096, Private: 1024, Reads: 7, WriteBytes: 9}
	used := make(chan struct{})
	w.Service.Program("workload.exe", func(p *hcstest.Proc) uint32 {
		p.Use(usage)
		close(used)
		<-p.Done()
		return 0
	})
	w.MustCreateC(t, "sleep")
	pid := w.MustStart(t, "c", "")
	<-used
	r, err := w.Stats(t.Context(), &api.StatsRequest{ID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	var s stats.Statistics
	if err := proto.Unmarshal(r.Stats.GetValue(), &s); err != nil {
		t.Fatal(err)
	}
	got := s.GetWindows()
	if got.GetProcessor().GetTotalRuntimeNS() != 5e9 || got.GetMemory().GetMemoryUsagePrivateWorkingSetBytes() != 1024 ||
		got.GetMemory().GetMemoryUsageCommitBytes() != 4096 || got.GetStorage().GetReadCountNormalized() != 7 {
		t.Errorf("statistics %v", got)
	}
	list, err := w.Pids(t.Context(), &api.PidsRequest{ID: "c"})
	if err != nil || len(list.Processes) != 1 || list.Processes[0].Pid != pid {
		t.Errorf("processes %v, %v; want %d", list, err, pid)
	}
}

func TestUpdate_WCOWMemory_InForce(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	w.MustCreateC(t, "sleep")
	w.MustStart(t, "c", "")
	limit := uint64(100 << 20)
	_, err := w.Update(t.Context(), &api.UpdateTaskRequest{ID: "c", Resources: &anypb.Any{
		TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/WindowsResources",
		Value:   sim.JSON(t, specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: &limit}}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := w.Service.Document("c"); d.Container.Memory == nil || d.Container.Memory.SizeInMB != 100 {
		t.Errorf("memory %+v, want 100 MB", d.Container.Memory)
	}
}
