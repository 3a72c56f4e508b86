package sim

import (
	"context"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/service"
)

// WCOWWorld is a [World] for Windows Server containers, on a simulated compute service.
type WCOWWorld struct {
	*World
	Service *hcstest.Service
	HCS     *hcs.Client
	Machine *containertest.Machine
	Engine  engine.Engine
}

// NewWCOWWorld starts a shim. It ends with the test, and so does the task "c". Then nothing may be left in the service or on
// the machine.
func NewWCOWWorld(t *testing.T) *WCOWWorld {
	t.Helper()
	w := &WCOWWorld{
		World: &World{Kernel: jobtest.New(), Served: make(chan error, 1)}, Service: hcstest.New(), Machine: &containertest.Machine{},
	}
	w.Pods = w.Machine
	w.Service.Program("workload.exe", WCOWWorkload)
	w.HCS = &hcs.Client{Service: w.Service}
	w.Engine = engine.Engine{Kernel: w.Kernel, Service: w.HCS, Storage: w.Machine, Network: w.Machine, Pods: w.Machine}
	w.Serve(t, service.Config{
		Namespace: "ns", Engine: w.Engine, Emit: w.Emit,
		Machine: plan.Machine{Resolve: func(path string) (string, error) { return path, nil }},
	})
	t.Cleanup(func() {
		_, _ = w.Kill(context.Background(), &api.KillRequest{ID: "c", Signal: 9}) // it may be gone
		_, _ = w.Wait(context.Background(), &api.WaitRequest{ID: "c"})            // it may be gone
		_, _ = w.Delete(context.Background(), &api.DeleteRequest{ID: "c"})        // it may be gone
		_, _ = w.Shutdown(context.Background(), &api.ShutdownRequest{Now: true})  // it may have ended already
		_ = w.Client.Close()
		if err := <-w.Served; err != nil {
			t.Error(err)
		}
		w.NothingLeft(t)
	})
	return w
}

// NothingLeft fails the test if anything of a container is left.
func (w *WCOWWorld) NothingLeft(t *testing.T) {
	t.Helper()
	w.Service.Wait()
	hcstest.Settled(t, w.Service, w.HCS)
	if held := w.Machine.Held(); len(held) > 0 {
		t.Errorf("left on the machine: %v", held)
	}
	answer, err := w.HCS.ServiceProperties(context.Background(), schema.ServiceCredentialGuard)
	if err == nil && len(answer.Properties) > 0 && string(answer.Properties[0]) != "{}" {
		t.Errorf("left in the credential guard: %d bytes", len(answer.Properties[0]))
	}
}

// WCOWWorkload is hcstest's program and "sleep", which runs until it is ended.
func WCOWWorkload(p *hcstest.Proc) uint32 {
	if p.Args[1] == "sleep" {
		<-p.Done()
		return 0
	}
	return hcstest.Workload(p)
}

// WCOWBundle writes the spec of a Windows Server container that runs the program with these arguments. change may be nil.
func WCOWBundle(t *testing.T, change func(*specs.Spec), args ...string) string {
	t.Helper()
	return Bundle(t, func(s *specs.Spec) {
		s.Annotations = map[string]string{"microsoft.com/hostprocess-container": "false"}
		s.Hostname = "box"
		s.Windows.LayerFolders = []string{`C:\layers\1`, `C:\layers\0`, `C:\scratch\c`}
		s.Windows.Network = &specs.WindowsNetwork{EndpointList: []string{"9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001"}}
		s.Windows.CredentialSpec = `{"CmsPlugins":["ActiveDirectory"]}`
		if change != nil {
			change(s)
		}
	}, args...)
}

// MustCreateC makes the task "c" and returns its bundle.
func (w *WCOWWorld) MustCreateC(t *testing.T, args ...string) (bundle string) {
	t.Helper()
	bundle = WCOWBundle(t, nil, args...)
	w.MustCreateFrom(t, "c", bundle)
	return bundle
}
