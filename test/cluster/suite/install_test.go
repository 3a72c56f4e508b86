package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// TestInstaller does on a node without silo what docs/kubernetes.md says: the DaemonSet installs the shim under the reference
// shim, upgrades it while pods run, and removes it.
func TestInstaller(t *testing.T) {
	if testing.Short() {
		t.Skip("not in the short form")
	}
	wine := testenv.RequireCRI(t)
	if err := kube.Built(wine.Root()); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var progress bytes.Buffer
	if err := testenv.Peers(ctx, &progress); err != nil {
		t.Fatalf("build the reference shim: %v\n%s", err, progress.String())
	}
	cluster, err := kube.StartBare(ctx, wine)
	if err != nil {
		t.Fatal(err)
	}
	c := &installer{suite: newSuite(t, cluster)}
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"bare", c.bare}, {"install", c.install}, {"run", c.runs}, {"upgrade", c.upgrade}, {"in use", c.inUse}, {"uninstall", c.uninstall}, {"restart", c.restart},
		{"idle", c.idle},
	} {
		if !t.Run(step.name, step.run) {
			break // the later steps need it
		}
	}
}

// installer is a cluster with a bare node, and what its steps leave for later ones.
type installer struct {
	*suite
	config     []byte            // config.toml of the bare node
	witness    string            // the namespace of a pod of the reference shim
	before     []string          // its container
	namespaces map[string]string // of the pods of a handler
	pods       map[string][]string
	upgraded   []byte // the shim of the second image
}

// file reads a file of containerd's directory; nil if it does not exist.
func (c *installer) file(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.Wine.UnixPath(testenv.InstallDir), name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return text
}

// ours are the handlers of silo in CRI.
func (c *installer) ours(t *testing.T) ([]string, error) {
	var info struct {
		Config struct {
			Containerd struct{ Runtimes map[string]any }
		}
	}
	r := run(t, c.Node.Crictl(t.Context(), "info"), "")
	if err := json.Unmarshal([]byte(r.stdout), &info); err != nil {
		return nil, fmt.Errorf("crictl info: exit %d: %w: %s", r.code, err, r.stderr)
	}
	all := slices.Sorted(maps.Keys(info.Config.Containerd.Runtimes))
	if !slices.Contains(all, "runhcs-wcow-process") {
		return nil, fmt.Errorf("containerd has no default handler: %q", all)
	}
	return slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, "silo") }), nil
}

// has waits until containerd, which may be starting, has these handlers of silo.
func (c *installer) has(t *testing.T, want ...string) {
	t.Helper()
	until(t, fmt.Sprintf("containerd has the handlers %q", want), func() (bool, error) {
		ours, err := c.ours(t)
		return err == nil && slices.Equal(ours, want), fmt.Errorf("they are %q, %w", ours, err)
	})
}

// pid is the process of a service.
func (c *installer) pid(t *testing.T, exe string) int {
	t.Helper()
	all, err := c.Node.Processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Name() == exe {
			return p.Pid
		}
	}
	t.Fatalf("%s does not run", exe)
	return 0
}

// untouched: the container of the reference shim runs as before, and so do the pods of both handlers.
func (c *installer) untouched(t *testing.T) {
	t.Helper()
	if after := containers(c.suite.pods(t, c.witness, 1, "ready", ready)); !slices.Equal(after, c.before) {
		t.Errorf("the pod of the reference shim has containers %q, before %q", after, c.before)
	}
	for h, before := range c.pods {
		if after := containers(c.suite.pods(t, c.namespaces[h], len(before), "ready", ready)); !slices.Equal(after, before) {
			t.Errorf("%s: containers %q, before %q", h, after, before)
		}
	}
}

// bare: the node has no file and no handler of silo, and runs pods with the reference shim.
func (c *installer) bare(t *testing.T) {
	if c.config = c.file(t, "config.toml"); !bytes.HasPrefix(c.config, []byte("version = 4\n")) {
		t.Errorf("containerd's configuration has another version than 4:\n%.80s", c.config)
	}
	if ours, err := c.ours(t); err != nil || len(ours) > 0 || c.file(t, shimName) != nil {
		t.Fatalf("handlers %q, %v", ours, err)
	}
	c.witness = c.lastingNamespace(t)
	spec := podSpec("", payload("main", "sleep", "86400"))
	delete(spec, "runtimeClassName")
	c.create(t, c.witness, "pods", pod("test", spec))
	c.before = containers(c.suite.pods(t, c.witness, 1, "ready", ready))
}

// shimName is the executable of the shim.
const shimName = "containerd-shim-silo-v1.exe"

// rollOut applies deploy/kubernetes with an image and waits until its DaemonSets have it.
func (c *installer) rollOut(t *testing.T, tag string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := c.ApplyBare(ctx, tag); err != nil {
		t.Fatal(err)
	}
	for _, daemon := range []string{"silo-install", "silo-metrics"} {
		c.kubectl(t, "-n", "silo-system", "rollout", "status", "daemonset/"+daemon, "--timeout", limit.String())
	}
}

// installed waits until the installer of an image has installed, and fails if it was restarted.
func (c *installer) installed(t *testing.T, tag string) {
	t.Helper()
	until(t, "the installer of "+tag+" waits", func() (bool, error) {
		pods, err := c.Pods(t.Context(), "silo-system", installerPods)
		if err != nil || len(pods) != 1 {
			return false, fmt.Errorf("%d pods, %w", len(pods), err)
		}
		r := c.try(t, "", "-n", "silo-system", "logs", pods[0].Metadata.Name)
		return strings.Contains(r.stdout, "installed; waiting"), fmt.Errorf("its log is %s%s", r.stdout, r.stderr)
	})
	pods, err := c.Pods(t.Context(), "silo-system", installerPods)
	if err != nil || len(pods) != 1 || pods[0].Status.ContainerStatuses[0].RestartCount != 0 {
		t.Errorf("the installer is %s, %v", describe(pods), err)
	}
}

// install: the DaemonSet installs the shim and its handlers, and restarts containerd and kubelet, once.
func (c *installer) install(t *testing.T) {
	daemon, kubelet := c.pid(t, "containerd.exe"), c.pid(t, "kubelet.exe")
	c.rollOut(t, kube.SiloTag)
	c.installed(t, kube.SiloTag)
	if c.pid(t, "containerd.exe") == daemon || c.pid(t, "kubelet.exe") == kubelet {
		t.Error("containerd or kubelet was not restarted")
	}
	c.has(t, handlers...)
	c.untouched(t)
}

// runs: pods of both classes run.
func (c *installer) runs(t *testing.T) {
	const replicas = 6 // for both handlers 12 pods
	c.namespaces, c.pods = map[string]string{}, map[string][]string{}
	for _, h := range handlers {
		c.namespaces[h] = c.lastingNamespace(t)
		c.create(t, c.namespaces[h], "deployments", manifest("apps/v1", "Deployment", controlled(podSpec(h, payload("main", "sleep", "86400")), object{"replicas": replicas})))
	}
	for h, namespace := range c.namespaces {
		pods := c.suite.pods(t, namespace, replicas, "ready", ready)
		c.pods[h] = containers(pods)
		if r := c.try(t, "", "-n", namespace, "exec", pods[0].Metadata.Name, "--", `%CONTAINER_SANDBOX_MOUNT_POINT%\payload.exe`, "print", "hello"); strings.TrimSpace(r.stdout) != "hello" {
			t.Errorf("%s: exec: exit %d: %q %s", h, r.code, r.stdout, r.stderr)
		}
	}
	c.awaitShims(t, 0, 2*replicas)
}

// awaitShims waits until n shims run the executable of an earlier version, and m the installed one. A start has a process that exits.
func (c *installer) awaitShims(t *testing.T, n, m int) {
	t.Helper()
	until(t, fmt.Sprintf("%d shims of an earlier version and %d installed ones run", n, m), func() (bool, error) {
		old, current := c.shims(t)
		return old == n && current == m, fmt.Errorf("%d and %d run", old, current)
	})
}

// upgrade: an image with another shim replaces the executable. Pods keep their shim, new ones get the new, and containerd
// is not restarted.
func (c *installer) upgrade(t *testing.T) {
	shim := c.otherShim(t)
	if err := c.Node.ImportSilo(t.Context(), upgradeTag, shim); err != nil {
		t.Fatal(err)
	}
	daemon := c.pid(t, "containerd.exe")
	c.rollOut(t, upgradeTag)
	c.installed(t, upgradeTag)
	var err error
	if c.upgraded, err = os.ReadFile(shim); err != nil || !bytes.Equal(c.file(t, shimName), c.upgraded) {
		t.Errorf("the shim is not that of %s, %v", upgradeTag, err)
	}
	total := 0
	for h := range c.namespaces {
		total += len(c.pods[h])
		fresh := c.namespace(t)
		c.create(t, fresh, "pods", pod("test", podSpec(h, payload("main", "sleep", "86400"))))
		c.suite.pods(t, fresh, 1, "ready", ready)
	}
	c.awaitShims(t, total, len(handlers))
	if c.pid(t, "containerd.exe") != daemon {
		t.Error("containerd was restarted")
	}
	c.untouched(t)
}

const (
	// upgradeTag is the tag of the image with another shim.
	upgradeTag = "v2"
	// installerPods selects the pods of the installer.
	installerPods = "app.kubernetes.io/name%3Dsilo-install"
)
