package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/schema"
)

// A shim can die between any two steps of a create. The record, here of an older release, also lists what was not made. A
// second cleanup succeeds.
func TestCleanup_DiedAfterAnyStep_ReleasesResources(t *testing.T) {
	const ns = "9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001"
	parents := []schema.Layer{{Id: ns, Path: `C:\layers\0`}}
	directories := `{"layers":{"Kind":"windows-layer","Scratch":"C:\\scratch","Parents":["C:\\layers\\0"]},"network_namespace":"` + ns + `","endpoints":["e1","e2"],"credentials":true}`
	images := `{"layers":{"Kind":"CimFS","Scratch":"C:\\scratch","Parents":["C:\\layers\\0"],"Cims":["C:\\0.cim"]},"network_namespace":"` + ns + `"}`
	for name, life := range map[string]struct {
		list  string
		steps []func(*containertest.Machine) error
	}{
		"directories": {directories, []func(*containertest.Machine) error{
			func(m *containertest.Machine) error { return m.Activate(`C:\scratch`, parents) },
			func(m *containertest.Machine) error { return m.Prepare(`C:\scratch`, parents) },
			func(m *containertest.Machine) error { return m.CreateNamespace(ns) },
			func(m *containertest.Machine) error { return m.AddEndpoint(ns, "e1") },
			func(m *containertest.Machine) error { return m.AddEndpoint(ns, "e2") },
		}},
		"images": {images, []func(*containertest.Machine) error{
			func(m *containertest.Machine) error { _, err := m.MountImage("c", plan.Layers{}); return err },
			func(m *containertest.Machine) error { return m.Activate(`C:\scratch`, parents) },
			func(m *containertest.Machine) error {
				volume, err := m.Volume(`C:\scratch`)
				return errors.Join(err, m.AttachUnion(volume, parents))
			},
			func(m *containertest.Machine) error { return m.CreateNamespace(ns) },
		}},
	} {
		for died := range len(life.steps) + 1 {
			env := newEnvironment(t)
			list := filepath.Join(env.dir, "silo-resources.json")
			if err := os.WriteFile(list, []byte(life.list), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, step := range life.steps[:died] {
				if err := step(env.machine); err != nil {
					t.Fatal(err)
				}
			}
			h := engine.Engine{Kernel: env.kernel, Service: env.client, Storage: env.machine, Network: env.machine}
			for range 2 {
				if err := h.Cleanup(t.Context(), "ns", "c", env.dir); err != nil {
					t.Errorf("%s, died after step %d: %v", name, died, err)
				}
			}
			env.checkReleased()
			if _, err := os.Stat(list); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s, died after step %d: the record exists: %v", name, died, err)
			}
		}
	}
}

func TestCleanup_InvalidRecord_FailsAndKeepsIt(t *testing.T) {
	env := newEnvironment(t)
	list := filepath.Join(env.dir, "silo-resources.json")
	if err := os.WriteFile(list, []byte(`{"layers":`), 0o600); err != nil {
		t.Fatal(err)
	}
	h := engine.Engine{Kernel: env.kernel, Service: env.client, Storage: env.machine, Network: env.machine}
	if err := h.Cleanup(t.Context(), "ns", "c", env.dir); err == nil {
		t.Error("cleanup succeeded")
	}
	if _, err := os.Stat(list); err != nil {
		t.Error(err)
	}
}

// accessKernel records the access rights of the last job that was accessKernel.
type accessKernel struct {
	*jobtest.Kernel
	access jobobject.Access
}

func (k *accessKernel) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	k.access = access
	return k.Kernel.OpenJob(name, access)
}

func TestCleanup_PausedJob_EndsWithMinimalAccess(t *testing.T) {
	k := &accessKernel{Kernel: jobtest.New()}
	k.Program("sleep.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 0 })
	job, err := jobobject.Create(jobobject.Options{Name: hostprocess.JobName("ns", "c"), Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	p, err := job.Start(jobobject.ProcessOptions{CommandLine: "sleep.exe"})
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := (engine.Engine{Kernel: k}).Cleanup(t.Context(), "ns", "c", t.TempDir()); err != nil {
		t.Error(err)
	}
	if want := jobobject.AccessQuery | jobobject.AccessTerminate; k.access != want {
		t.Errorf("accessKernel with %#x, want %#x", k.access, want)
	}
	if code, err := p.Wait(context.Background()); err != nil || code != container.Killed {
		t.Errorf("the process ended with %d, %v; want %d", code, err, container.Killed)
	}
	if err := errors.Join(p.Close(), job.Close()); err != nil {
		t.Error(err)
	}
}

// A second cleanup succeeds.
func TestCleanup_HostProcessWithRoot_ReleasesResources(t *testing.T) {
	for _, silo := range []bool{true, false} {
		env := newHostProcessEnvironment(t)
		planned := env.job(silo)
		c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, planned)
		if err != nil {
			t.Fatal(err)
		}
		if err := env.start(c, &planned.Process); err != nil {
			t.Fatal(err)
		}
		env.machine.Die()
		for range 2 {
			if err := env.engine.Cleanup(t.Context(), "ns", "c", env.dir); err != nil {
				t.Errorf("silo %t: %v", silo, err)
			}
		}
		env.kernel.Wait()
		env.checkReleased()
		if _, err := os.Stat(filepath.Join(env.dir, "silo-resources.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("silo %t: the record exists: %v", silo, err)
		}
	}
}
