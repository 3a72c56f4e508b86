package kube

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// The services of a bare node, in the order in which they start.
const (
	containerdService = "containerd"
	kubeletService    = "kubelet"
)

// startBareNode starts a node without silo, as [StartBare] describes it.
func startBareNode(ctx context.Context, c *control) (*Node, error) {
	n := newNode(c)
	n.services = true
	if err := n.startServices(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("start node: %w", err), n.stop())
	}
	return n, nil
}

func (n *Node) startServices(ctx context.Context, c *control) error {
	if err := n.removeServices(ctx); err != nil { // of a node that was not stopped
		return err
	}
	if err := n.setVersion(ctx, n.osVersion); err != nil { // of a node that was not stopped, too
		return err
	}
	config, err := n.place(ctx, map[string]string{"containerd": "containerd.exe", "containerd-shim-runhcs-v1": "containerd-shim-runhcs-v1.exe"})
	if err != nil {
		return err
	}
	if n.Containerd, err = n.wine.Service(testenv.InstallDir+`\`, `C:\hpc\`, n.kubeletExe()); err != nil {
		return err
	}
	if err := n.run(ctx, testenv.InstallDir+`\containerd.exe`, "--register-service", "--log-file", n.wine.WindowsPath(n.LogPath())); err != nil {
		return err
	}
	if err := n.startService(ctx, containerdService, n.env...); err != nil {
		return err
	}
	if err := n.Serving(ctx); err != nil {
		return err
	}
	if err := n.importImages(ctx, config); err != nil {
		return err
	}
	if err := n.setValues(ctx); err != nil {
		return err
	}
	args, err := n.configure(c)
	if err != nil {
		return err
	}
	line := `"` + n.kubeletExe() + `" --windows-service ` + strings.Join(args, " ")
	if err := n.run(ctx, scExe, "create", kubeletService, "binPath=", line, "depend=", containerdService, "start=", "demand"); err != nil {
		return err
	}
	if err := n.startService(ctx, kubeletService, "WINEGAP=kubelet"); err != nil {
		return err
	}
	return c.until(ctx, "the node is ready", func() (bool, error) { return c.api.nodeReady(ctx) })
}

func (n *Node) kubeletExe() string {
	return n.wine.WindowsPath(filepath.Join(cacheDir(n.wine.Root()), "kubelet.exe"))
}

// startService starts a service with variables in its environment.
func (n *Node) startService(ctx context.Context, name string, env ...string) error {
	all := strings.Join(append([]string{"GODEBUG=asyncpreemptoff=1"}, env...), `\0`) // a backslash before the separator would be a part of it
	err := n.setValue(ctx, `HKLM\System\CurrentControlSet\Services\`+name, "Environment", "REG_MULTI_SZ", all)
	if err != nil {
		return err
	}
	return n.run(ctx, netExe, "start", name)
}

// RestartServices restarts the services of a bare node and waits until containerd answers.
func (n *Node) RestartServices(ctx context.Context) error {
	for _, words := range [][]string{{"stop", kubeletService}, {"stop", containerdService}, {"start", containerdService}, {"start", kubeletService}} {
		if err := n.run(ctx, netExe, words...); err != nil {
			return err
		}
	}
	return n.Serving(ctx)
}

// removeServices stops and deletes the services. Those that do not exist or run are no error.
func (n *Node) removeServices(ctx context.Context) error {
	var errs []error
	for _, name := range []string{kubeletService, containerdService} {
		if n.wine.Command(ctx, scExe, "query", name).Run() != nil {
			continue // there is none
		}
		var exit *exec.ExitError
		if err := n.wine.Command(ctx, netExe, "stop", name).Run(); err != nil && !errors.As(err, &exit) {
			errs = append(errs, err)
		}
		errs = append(errs, n.run(ctx, scExe, "delete", name))
	}
	return errors.Join(errs...)
}
