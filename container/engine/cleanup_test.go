package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/schema"
)

// TestCleanupAfterEveryStep: a shim can die between any two steps of create. What it had made by then is given back,
// what it had not is no error, and neither is a second time.
func TestCleanupAfterEveryStep(t *testing.T) {
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
			b := newBed(t)
			list := filepath.Join(b.dir, "silo-resources.json")
			if err := os.WriteFile(list, []byte(life.list), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, step := range life.steps[:died] {
				if err := step(b.machine); err != nil {
					t.Fatal(err)
				}
			}
			h := engine.Engine{Kernel: b.kernel, Service: b.client, Storage: b.machine, Network: b.machine}
			for range 2 {
				if err := h.Cleanup(t.Context(), "ns", "c", b.dir); err != nil {
					t.Errorf("%s, died after step %d: %v", name, died, err)
				}
			}
			b.settled()
			if _, err := os.Stat(list); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s, died after step %d: the list is left: %v", name, died, err)
			}
		}
	}
}

// TestBrokenLedger: a list that cannot be read is an error and stays, for a person to look at.
func TestBrokenLedger(t *testing.T) {
	b := newBed(t)
	list := filepath.Join(b.dir, "silo-resources.json")
	if err := os.WriteFile(list, []byte(`{"layers":`), 0o600); err != nil {
		t.Fatal(err)
	}
	h := engine.Engine{Kernel: b.kernel, Service: b.client, Storage: b.machine, Network: b.machine}
	if err := h.Cleanup(t.Context(), "ns", "c", b.dir); err == nil {
		t.Error("it was read")
	}
	if _, err := os.Stat(list); err != nil {
		t.Error(err)
	}
}
