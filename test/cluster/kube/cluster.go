package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// Cluster is a control plane with a node. The test environment has one at a time.
type Cluster struct {
	*API
	Node    *Node
	Wine    *testenv.Env
	Metrics string // the address of silo metrics, after Apply

	control *control
}

// Dir is the directory of a cluster's files and logs in the module at root.
func Dir(root string) string { return filepath.Join(root, ".bed", "run", "cluster") }

// Start starts a cluster and waits until its node is ready. Files of an earlier cluster are removed.
func Start(ctx context.Context, wine *testenv.Env) (*Cluster, error) {
	if err := Built(wine.Root()); err != nil {
		return nil, err
	}
	dir := Dir(wine.Root())
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	control, err := startControl(ctx, wine, dir)
	if err != nil {
		return nil, err
	}
	node, err := startNode(ctx, control)
	if err != nil {
		return nil, errors.Join(err, control.stop())
	}
	return &Cluster{API: control.api, Node: node, Wine: wine, control: control}, nil
}

// Apply applies deploy/kubernetes, as its documentation says.
func (c *Cluster) Apply(ctx context.Context) error {
	deploy, err := filepath.Rel(c.path("overlay"), filepath.Join(c.Wine.Root(), "deploy", "kubernetes"))
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	c.Metrics = net.JoinHostPort(localhost, port)
	if err := os.MkdirAll(c.path("overlay"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(c.path("overlay/kustomization.yaml"), fmt.Appendf(nil, overlay, filepath.ToSlash(deploy), port), 0o644); err != nil {
		return err
	}
	cmd := c.Kubectl(ctx, "apply", "-k", c.Wine.WindowsPath(c.path("overlay")))
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apply deploy/kubernetes: %w\n%s", err, text)
	}
	return nil
}

func (c *Cluster) path(name string) string { return filepath.Join(c.control.dir, name) }

// Kubectl prepares a kubectl.exe command with all rights.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) *exec.Cmd {
	return Kubectl(ctx, c.Wine, args...)
}

// Kubectl prepares a kubectl.exe command for the cluster of an environment, which another process may have started.
func Kubectl(ctx context.Context, wine *testenv.Env, args ...string) *exec.Cmd {
	dir := Dir(wine.Root())
	exe := wine.WindowsPath(filepath.Join(cacheDir(wine.Root()), "kubectl.exe"))
	flags := []string{"--kubeconfig", wine.WindowsPath(filepath.Join(dir, "admin.kubeconfig")), "--cache-dir", wine.WindowsPath(filepath.Join(dir, "kubectl"))}
	return wine.Command(ctx, exe, append(flags, args...)...)
}

// Stop ends the cluster and removes its files but the logs. Pods that run are ended with it; see [Cluster.Drain].
func (c *Cluster) Stop() error { return errors.Join(c.Node.stop(), c.control.stop()) }

// Drain deletes all workloads and waits until the node has removed their pods.
func (c *Cluster) Drain(ctx context.Context) error {
	var list struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	if err := c.Get(ctx, "api/v1/namespaces", &list); err != nil {
		return err
	}
	for _, ns := range list.Items {
		for _, kind := range []string{"batch/v1/%s/cronjobs", "batch/v1/%s/jobs", "apps/v1/%s/deployments", "apps/v1/%s/statefulsets", "apps/v1/%s/daemonsets"} {
			path := fmt.Sprintf("apis/"+kind, "namespaces/"+ns.Metadata.Name) + "?propagationPolicy=Background"
			if err := c.Delete(ctx, path); err != nil {
				return err
			}
		}
		if err := c.Delete(ctx, "api/v1/namespaces/"+ns.Metadata.Name+"/pods"); err != nil {
			return err
		}
	}
	return c.control.until(ctx, "no pod is left", func() (bool, error) {
		pods, err := c.Pods(ctx, "", "")
		if err == nil && len(pods) > 0 {
			err = fmt.Errorf("%d pods, %s first", len(pods), pods[0].Metadata.Name)
		}
		return err == nil, err
	})
}

// Summary reads the statistics of the node and its pods from kubelet.
func (c *Cluster) Summary(ctx context.Context, into any) error {
	return c.summary(ctx, c.Node.port, into)
}

// KillAPIServer ends the apiserver at once.
func (c *Cluster) KillAPIServer() error { return c.control.apiserver().kill() }

// StartAPIServer starts the apiserver again, with the same data.
func (c *Cluster) StartAPIServer() error { return c.control.apiserver().start() }
