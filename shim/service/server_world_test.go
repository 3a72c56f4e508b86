package service_test

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

// serverWorld is a shim for Windows Server containers on a simulated compute service.
type serverWorld struct {
	*world
	service *hcstest.Service
	client  *hcs.Client
	machine *containertest.Machine
	host    engine.Engine
}

// newServerWorld starts a shim. At the test's end nothing may be left in the service or on the machine.
func newServerWorld(t *testing.T) *serverWorld {
	t.Helper()
	w := &serverWorld{
		world: &world{kernel: jobtest.New(), served: make(chan error, 1)}, service: hcstest.New(), machine: &containertest.Machine{},
	}
	w.service.Program("workload.exe", inside)
	w.client = &hcs.Client{Service: w.service}
	w.host = engine.Engine{Kernel: w.kernel, Service: w.client, Storage: w.machine, Network: w.machine}
	w.world.client = w.serve(t, service.Config{
		Namespace: "ns", Engine: w.host, Emit: w.emit,
		Machine: plan.Machine{Resolve: func(path string) (string, error) { return path, nil }},
	})
	t.Cleanup(func() {
		_, _ = w.Kill(context.Background(), &api.KillRequest{ID: "c", Signal: 9}) // it may be gone
		_, _ = w.Wait(context.Background(), &api.WaitRequest{ID: "c"})            // it may be gone
		_, _ = w.Delete(context.Background(), &api.DeleteRequest{ID: "c"})        // it may be gone
		_, _ = w.Shutdown(context.Background(), &api.ShutdownRequest{Now: true})  // it may have ended already
		_ = w.world.client.Close()
		if err := <-w.served; err != nil {
			t.Error(err)
		}
		w.nothingLeft(t)
	})
	return w
}

// nothingLeft fails the test if anything of a container is left.
func (w *serverWorld) nothingLeft(t *testing.T) {
	t.Helper()
	w.service.Wait()
	hcstest.Settled(t, w.service, w.client)
	if held := w.machine.Held(); len(held) > 0 {
		t.Errorf("left on the machine: %v", held)
	}
	answer, err := w.client.ServiceProperties(context.Background(), schema.ServiceCredentialGuard)
	if err == nil && len(answer.Properties) > 0 && string(answer.Properties[0]) != "{}" {
		t.Errorf("left in the credential guard: %d bytes", len(answer.Properties[0]))
	}
}

// inside is the workload in a container: "sleep" lives until it is ended, "event" until it is asked to, and the rest
// is hcstest's.
func inside(p *hcstest.Proc) uint32 {
	if p.Args[1] == "sleep" {
		<-p.Done()
		return 0
	}
	return hcstest.Workload(p)
}

// serverBundle writes the specification of a Windows Server container.
func serverBundle(t *testing.T, change func(*specs.Spec), args ...string) string {
	t.Helper()
	return bundle(t, func(s *specs.Spec) {
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

// created makes the task "c".
func (w *serverWorld) created(t *testing.T, args ...string) (bundle string) {
	t.Helper()
	bundle = serverBundle(t, nil, args...)
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: bundle}); err != nil {
		t.Fatal(err)
	}
	return bundle
}

func (w *serverWorld) kill(t *testing.T, exec string) {
	t.Helper()
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", ExecID: exec, Signal: 9}); err != nil {
		t.Fatal(err)
	}
}
