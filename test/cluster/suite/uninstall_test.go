package suite

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// inUse: while pods of silo run, the deletion of the installer removes nothing. The next one finds all installed.
func (c *installer) inUse(t *testing.T) {
	daemon, config := c.pid(t, "containerd.exe"), c.file(t, `conf.d/silo.toml`)
	c.kubectl(t, "-n", "silo-system", "delete", "daemonset", "silo-install", "--timeout", limit.String())
	until(t, "the installer is gone", func() (bool, error) {
		pods, err := c.Pods(t.Context(), "silo-system", installerPods)
		return err == nil && len(pods) == 0, fmt.Errorf("%s, %w", describe(pods), err)
	})
	if c.file(t, shimName) == nil || len(config) == 0 || !bytes.Equal(c.file(t, `conf.d/silo.toml`), config) {
		t.Error("the shim or its handlers were removed from below the pods")
	}
	c.rollOut(t, upgradeTag)
	c.installed(t, upgradeTag)
	if c.pid(t, "containerd.exe") != daemon {
		t.Error("containerd was restarted")
	}
	c.untouched(t)
}

// uninstall: after the pods of silo, its objects are deleted. The node is as it was, and the pod of the reference shim runs.
func (c *installer) uninstall(t *testing.T) {
	for _, namespace := range c.namespaces {
		if err := c.stops(t, kind{collection: "deployments"}, namespace); err != nil {
			t.Fatal(err)
		}
	}
	c.pods = nil
	c.awaitShims(t, 0, 0)
	c.removes(t)
	c.untouched(t)
}

// removes deletes the objects of silo. The node must be as it was.
func (c *installer) removes(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := c.DeleteBare(ctx, upgradeTag); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.file(t, "config.toml"), c.config) {
		t.Errorf("config.toml is now\n%s", c.file(t, "config.toml"))
	}
	left, err := filepath.Glob(filepath.Join(c.Wine.UnixPath(testenv.InstallDir), "*"))
	for _, path := range left {
		switch name := filepath.Base(path); name {
		case "cni", "config.toml", "containerd.exe", "containerd-shim-runhcs-v1.exe":
		default:
			t.Errorf("%s is left", name)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// restart: containerd has the handlers until it is restarted, and none afterwards.
func (c *installer) restart(t *testing.T) {
	if ours, err := c.ours(t); err != nil || !slices.Equal(ours, handlers) {
		t.Errorf("before the restart the handlers are %q, %v", ours, err)
	}
	if err := c.Node.RestartServices(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ours, err := c.ours(t); err != nil || len(ours) > 0 {
		t.Errorf("after the restart the handlers are %q, %v", ours, err)
	}
	c.untouched(t)
}

// idle: on a node without pods of silo the old installer uninstalls, and the new one installs and restarts containerd.
func (c *installer) idle(t *testing.T) {
	c.rollOut(t, kube.SiloTag)
	c.installed(t, kube.SiloTag)
	c.has(t, handlers...)
	daemon := c.pid(t, "containerd.exe")
	c.rollOut(t, upgradeTag)
	c.installed(t, upgradeTag)
	c.has(t, handlers...)
	if !bytes.Equal(c.file(t, shimName), c.upgraded) || c.pid(t, "containerd.exe") == daemon {
		t.Error("the shim is not the new one, or containerd was not restarted")
	}
	c.removes(t)
	c.untouched(t)
}
