package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// TestSandbox_JobContainers_ShareItsShim and TestSandbox_WCOWContainers_ShareItsShim are pods that containerd's client makes through the Sandbox API, without
// Kubernetes.
func TestSandbox_JobContainers_ShareItsShim(t *testing.T) {
	requireSandboxAPI(t)
	d := newDaemon(t)
	pod := d.sandbox(t, map[string]string{"microsoft.com/hostprocess-container": "true"})
	d.podLives(t, pod, func() *specs.Spec { return workload.Spec("sleep", "600") })
}

func TestSandbox_WCOWContainers_ShareItsShim(t *testing.T) {
	requireSandboxAPI(t)
	s := newService(t)
	s.podLives(t, s.sandbox(t, nil), func() *specs.Spec { return s.spec(t, "sleep", "600") })
}

// TestSandbox_ShimKilled_LayersAreReleased: what the containers of a pod had of the machine is given back when their shim has died, though
// containerd 2.3 has that cleaned up for the sandbox alone.
func TestSandbox_ShimKilled_LayersAreReleased(t *testing.T) {
	requireSandboxAPI(t)
	s := newService(t)
	pod, id := s.sandbox(t, nil), newID()
	spec := s.spec(t, "sleep", "600")
	s.ctr(t, s.runArgs(t, spec, id, "-d", "--null-io", "--sandbox", pod)...)
	mark := filepath.Join(s.wine.UnixPath(spec.Windows.LayerFolders[1]), "active")
	if _, err := os.Stat(mark); err != nil {
		t.Fatalf("the layer is not mounted: %v", err)
	}
	for _, p := range s.shims(t) {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	}
	until(t, "the layer is unmounted", func() bool {
		_, err := os.Stat(mark)
		return err != nil
	})
	s.ctr(t, "sandbox", "rm", pod)
}

// requireSandboxAPI skips a test where there is no such thing.
func requireSandboxAPI(t *testing.T) {
	t.Helper()
	if !slices.Contains(testenv.Handlers(), testenv.SandboxHandler) {
		t.Skip("capability missing: this containerd does not join tasks to a sandbox that a shim has made")
	}
}

// sandbox makes and starts a sandbox.
func (d *daemon) sandbox(t *testing.T, annotations map[string]string) (id string) {
	t.Helper()
	text, err := json.Marshal(specs.Spec{Version: specs.Version, Annotations: annotations, Windows: &specs.Windows{}})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(d.dir, "pod.json")
	if err := os.WriteFile(config, text, 0o644); err != nil {
		t.Fatal(err)
	}
	id = newID()
	d.ctr(t, "sandbox", "run", "--runtime", runtime, d.wine.WindowsPath(config), id)
	return id
}

// podLives takes a pod to its end: its containers are in its shim, which outlives them and a restart of containerd, and
// ends with the pod.
func (d *daemon) podLives(t *testing.T, pod string, spec func() *specs.Spec) {
	t.Helper()
	first, second := newID(), newID()
	for _, id := range []string{first, second} {
		d.ctr(t, d.runArgs(t, spec(), id, "-d", "--null-io", "--sandbox", pod)...)
	}
	if n := len(d.shims(t)); n != 1 {
		t.Errorf("the pod has %d shims, want one", n)
	}
	d.remove(t, first)
	if err := d.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := d.list(t); !running(list, second) || strings.Contains(list, first) {
		t.Errorf("after the restart there are\n%s, want %s", list, second)
	}
	d.remove(t, second)
	if n := len(d.shims(t)); n != 1 {
		t.Errorf("the pod has %d shims without its containers, want one", n)
	}
	d.ctr(t, "sandbox", "rm", pod)
	if list := d.ctr(t, "sandbox", "ls"); strings.Contains(list, pod) {
		t.Errorf("the pod is left:\n%s", list)
	}
	until(t, "the shim has ended", func() bool { return len(d.shims(t)) == 0 })
}

// running tells whether a list of tasks has this one as running.
func running(list, id string) bool {
	return slices.ContainsFunc(strings.Split(list, "\n"), func(line string) bool {
		return strings.HasPrefix(line, id) && strings.Contains(line, "RUNNING")
	})
}

// shims are the shims of this containerd.
func (d *daemon) shims(t *testing.T) []testenv.Process {
	t.Helper()
	all, err := d.Processes()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(p testenv.Process) bool { return !strings.HasPrefix(p.Name(), "containerd-shim") })
}
