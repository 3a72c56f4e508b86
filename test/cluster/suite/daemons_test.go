package suite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
)

// daemons: no container restarts when kubelet or containerd is killed, or when the shim is upgraded.
func (c *suite) daemons(t *testing.T) {
	namespaces := map[string]string{}
	replicas := 6 // for both handlers 12 pods
	if testing.Short() {
		replicas = 2
	}
	for _, h := range handlers {
		namespaces[h] = c.namespace(t)
		c.create(t, namespaces[h], "deployments", manifest("apps/v1", "Deployment", controlled(podSpec(h, payload("main", "sleep", "86400")), object{"replicas": replicas})))
	}
	before := map[string][]string{}
	for h, namespace := range namespaces {
		before[h] = containers(c.pods(t, namespace, replicas, "ready", ready))
	}
	unchanged := func(t *testing.T) {
		t.Helper()
		for h, namespace := range namespaces {
			if after := containers(c.pods(t, namespace, replicas, "ready", ready)); !slices.Equal(after, before[h]) {
				t.Errorf("%s: containers %q, before %q", h, after, before[h])
			}
		}
	}
	// A new pod shows that the daemons work again.
	works := func(t *testing.T) {
		t.Helper()
		for _, h := range handlers {
			namespace := c.namespace(t)
			c.create(t, namespace, "pods", pod("test", podSpec(h, payload("main", "sleep", "86400"))))
			c.pods(t, namespace, 1, "ready", ready)
		}
	}
	t.Run("kubelet killed", func(t *testing.T) {
		if err := c.Node.KillKubelet(); err != nil {
			t.Fatal(err)
		}
		if err := c.Node.StartKubelet(); err != nil {
			t.Fatal(err)
		}
		works(t)
		unchanged(t)
	})
	t.Run("containerd killed", func(t *testing.T) {
		if err := c.Node.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		works(t)
		unchanged(t)
	})
	t.Run("shim upgraded", func(t *testing.T) {
		if err := c.Node.Install(t.Context(), c.Wine.WindowsPath(c.otherShim(t))); err != nil {
			t.Fatal(err)
		}
		works(t)
		unchanged(t)
		old, current := c.shims(t)
		if old < 2*replicas || current == 0 {
			t.Errorf("%d processes run the old shim and %d the new one; want %d and at least 1", old, current, 2*replicas)
		}
	})
	for h, namespace := range namespaces {
		k := kind{collection: "deployments"}
		if err := c.stops(t, k, namespace); err != nil {
			t.Errorf("%s: %v", h, err)
		}
	}
}

// containers are the ids of the containers of pods, with their numbers of restarts.
func containers(pods []kube.Pod) []string {
	var ids []string
	for _, p := range pods {
		for _, s := range p.Status.ContainerStatuses {
			ids = append(ids, fmt.Sprintf("%s restarted %d", s.ContainerID, s.RestartCount))
		}
	}
	slices.Sort(ids)
	return ids
}

// otherShim is the shim with other bytes: what follows the image in an executable is not loaded.
func (c *suite) otherShim(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(c.Wine.UnixPath(c.Wine.Exe("containerd-shim-silo-v1")))
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(t.TempDir(), shimName)
	if err := os.WriteFile(exe, append(text, "another version"...), 0o755); err != nil {
		t.Fatal(err)
	}
	return exe
}

// shims counts the processes whose executable was renamed by the upgrade, and those of the new one.
func (c *suite) shims(t *testing.T) (old, current int) {
	t.Helper()
	processes, err := c.Node.Processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.Pid))
		switch {
		case err != nil || !strings.Contains(p.Name(), "containerd-shim-silo"):
		case strings.Contains(string(maps), "containerd-shim-silo-v1.exe\n"):
			current++
		default:
			old++
		}
	}
	return old, current
}

// nothingLeft: after the workloads are deleted the node has no container, no process and no file of theirs.
func (c *suite) nothingLeft(t *testing.T) {
	if err := c.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "no process is left", func() (bool, error) {
		processes, err := c.Node.Processes()
		if err == nil && len(processes) > 0 {
			err = fmt.Errorf("%d processes, %q first", len(processes), processes[0].Args)
		}
		return err == nil, err
	})
	until(t, "no container is left", func() (bool, error) {
		return none(run(t, c.Node.Ctr(t.Context(), "-n", "k8s.io", "containers", "ls", "-q"), ""))
	})
	for _, dir := range []string{`C:\hpc`, `C:\silo\kubelet\pods\*`} {
		until(t, dir+" is gone", func() (bool, error) {
			left, err := filepath.Glob(c.Wine.UnixPath(dir))
			if err == nil && len(left) > 0 {
				err = fmt.Errorf("%q", left)
			}
			return err == nil, err
		})
	}
}
