package host_test

import (
	"testing"

	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/host/hosttest"
)

func TestSimulatedMachine(t *testing.T) {
	m := &hosttest.Machine{}
	m.Put(`C:\base\`)
	hosttest.FilesSuite(t, m, `C:\base`)
	hosttest.AccountsSuite(t, m)
	if err := m.Activate(`C:\scratch`, []schema.Layer{{Path: `C:\l`}}); err != nil {
		t.Fatal(err)
	}
	hosttest.MountSuite(t, m, `C:\base`, volume)
	if err := m.Deactivate(`C:\scratch`); err != nil {
		t.Error(err)
	}
	if held := m.Held(); len(held) > 0 {
		t.Errorf("left: %q", held)
	}
}
