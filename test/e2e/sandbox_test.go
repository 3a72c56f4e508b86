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

// containerd's client makes pods through the Sandbox API, without Kubernetes.
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

// After the shim was killed the resources of a pod's containers are released, although containerd 2.3 runs delete for the
// sandbox only.
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

// requireSandboxAPI skips a test if containerd does not support the Sandbox API of shims.
func requireSandboxAPI(t *testing.T) {
	t.Helper()
	if !slices.Contains(testenv.Handlers(), testenv.SandboxHandler) {
		t.Skip("capability missing: this containerd does not add tasks to a sandbox of a shim")
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

// podLives runs a pod: its containers share the shim. The shim outlives them and a restart of containerd, and exits with
// the pod.
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
		t.Errorf("the pod remains:\n%s", list)
	}
	until(t, "the shim has exited", func() bool { return len(d.shims(t)) == 0 })
}

// running reports whether a task is listed as running.
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
