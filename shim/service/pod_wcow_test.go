package service_test

import (
	"errors"
	"strings"
	"testing"

	sandbox "github.com/containerd/containerd/api/runtime/sandbox/v1"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/shim/pod"
	"github.com/siloshim/siloshim/test/sim"
)

// podNetwork is the network namespace of the pods here.
const podNetwork = "c1d3b7e0-0f2f-4ac2-8d2c-0f6fd4b1a001"

// inWCOWPod writes the spec of a Windows Server container of pod "p".
func inWCOWPod(t *testing.T, kind, id string, change func(*specs.Spec), args ...string) string {
	t.Helper()
	return sim.WCOWBundle(t, func(s *specs.Spec) {
		s.Annotations[containerType], s.Annotations[sandboxID] = kind, "p"
		s.Windows.LayerFolders[2] += id
		s.Windows.Network = nil
		if change != nil {
			change(s)
		}
	}, args...)
}

// TestPod_WCOWSandboxWithAShell_RunsPing: a sandbox of Windows Server containers is one itself. If its image has a shell
// for its program, it gets a program that does not end.
func TestPod_WCOWSandboxWithAShell_RunsPing(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	var line string
	w.Service.Program("ping.exe", func(p *hcstest.Proc) uint32 {
		line = strings.Join(p.Args, " ")
		<-p.Done()
		return 0
	})
	idle := func(s *specs.Spec) { s.Process.Args = []string{`C:/Windows/System32/cmd.exe`} }
	w.MustCreateFrom(t, "p", inWCOWPod(t, "sandbox", "p", idle))
	w.MustStart(t, "p", "")
	w.MustCreateFrom(t, "c", inWCOWPod(t, "container", "c", nil, "sleep"))
	w.MustStart(t, "c", "")
	refused(t, second(w.Create(t.Context(), &api.CreateTaskRequest{ID: "j", Bundle: inPod(t, "container", nil, "sleep")})),
		errdefs.IsFailedPrecondition, "a job container cannot join sandbox p")
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "p", Signal: 9, All: true}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"c", "p"} {
		if code := w.MustWait(t, id, ""); code != 137 {
			t.Errorf("%s ended with %d, want 137", id, code)
		}
		w.MustDelete(t, id, "")
	}
	if line != `C:\Windows\System32\ping.exe -t 127.0.0.1` {
		t.Errorf("the sandbox ran %s", line)
	}
}

func TestPod_WCOWSandboxWithAProgram_RunsIt(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	w.MustCreateFrom(t, "p", inWCOWPod(t, "sandbox", "p", nil, "sleep"))
	w.MustStart(t, "p", "")
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "p", Signal: 9}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "p", "")
	w.MustDelete(t, "p", "")
}

// TestPod_WCOWOfTheSandboxAPI_SharesItsNetworkNamespace: the sandbox has no container, and the workloads join the namespace
// of the request.
func TestPod_WCOWOfTheSandboxAPI_SharesItsNetworkNamespace(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	client := sandbox.NewTTRPCSandboxClient(w.Client)
	if _, err := client.CreateSandbox(t.Context(), &sandbox.CreateSandboxRequest{
		SandboxID: "p", BundlePath: t.TempDir(), NetnsPath: podNetwork,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.StartSandbox(t.Context(), &sandbox.StartSandboxRequest{SandboxID: "p"}); err != nil {
		t.Fatal(err)
	}
	named := func(s *specs.Spec) { s.Windows.Network = &specs.WindowsNetwork{NetworkNamespace: podNetwork} }
	for id, change := range map[string]func(*specs.Spec){"c": nil, "web": named} {
		w.MustCreateFrom(t, id, inWCOWPod(t, "container", id, change, "sleep"))
		w.MustStart(t, id, "")
		if d, _ := w.Service.Document(id); d.Container.Networking.Namespace != podNetwork {
			t.Errorf("%s is in network namespace %q", id, d.Container.Networking.Namespace)
		}
	}
	create := func(change func(*specs.Spec)) error {
		return second(w.Create(t.Context(), &api.CreateTaskRequest{ID: "x", Bundle: inWCOWPod(t, "container", "x", change, "sleep")}))
	}
	refused(t, create(func(s *specs.Spec) {
		s.Windows.Network = &specs.WindowsNetwork{NetworkNamespace: "11111111-0f2f-4ac2-8d2c-0f6fd4b1a001"}
	}), errdefs.IsInvalidArgument, "name no other")
	refused(t, create(func(s *specs.Spec) { s.Windows.Network = &specs.WindowsNetwork{EndpointList: []string{"e"}} }),
		errdefs.IsInvalidArgument, "name no other")
	if r, err := client.SandboxStatus(t.Context(), &sandbox.SandboxStatusRequest{SandboxID: "p", Verbose: true}); err != nil ||
		r.Info["kind"] != "process isolated" || r.Info["networkSandboxPath"] != podNetwork {
		t.Errorf("status: %v, %v", r, err)
	}
	if _, err := client.ShutdownSandbox(t.Context(), &sandbox.ShutdownSandboxRequest{SandboxID: "p"}); err != nil {
		t.Fatal(err)
	}
}

// TestShutdownSandbox_ReleaseFails_LeftForDelete: a resource that cannot be released does not keep the shim from the rest,
// and its record is left.
func TestShutdownSandbox_ReleaseFails_LeftForDelete(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	client := sandbox.NewTTRPCSandboxClient(w.Client)
	dir := t.TempDir()
	if _, err := client.CreateSandbox(t.Context(), &sandbox.CreateSandboxRequest{SandboxID: "p", BundlePath: dir}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.StartSandbox(t.Context(), &sandbox.StartSandboxRequest{SandboxID: "p"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"c", "web"} {
		w.MustCreateFrom(t, id, inWCOWPod(t, "container", id, nil, "sleep"))
	}
	w.Machine.Fail("Deactivate", 0, 1000, errors.New("busy"))
	_, err := client.ShutdownSandbox(t.Context(), &sandbox.ShutdownSandboxRequest{SandboxID: "p"})
	if err == nil || !strings.Contains(err.Error(), "delete task c") || !strings.Contains(err.Error(), "delete task web") {
		t.Errorf("shutdown: %v, want both containers named", err)
	}
	if left, err := pod.Workloads(dir); err != nil || len(left) != 2 {
		t.Errorf("the records are %v, %v; want both", left, err)
	}
	w.Machine.Fail("Deactivate", 0, 0, nil)
	if err := pod.Cleanup(t.Context(), w.Engine, "ns", "p", dir); err != nil {
		t.Error(err)
	}
}
