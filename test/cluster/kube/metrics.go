package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// apiService is the path of the aggregated API of metrics-server.
const apiService = "apis/apiregistration.k8s.io/v1/apiservices"

// StartMetrics starts metrics-server as a process of the control plane, and waits until its API is available. The function
// that it returns removes the API and ends the process. The error wraps [ErrNotBuilt] if the cache lacks the executable.
func (c *Cluster) StartMetrics(ctx context.Context) (stop func(context.Context) error, err error) {
	if err := built(c.Wine.Root(), metricsCommand); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := c.prepareMetrics(ctx, port)
	if err != nil {
		return nil, fmt.Errorf("start metrics-server: %w", err)
	}
	const name = "v1beta1.metrics.k8s.io"
	stop = func(ctx context.Context) error {
		// Namespaces are not deleted while an API is there that does not answer.
		return errors.Join(c.Delete(ctx, apiService+"/"+name), c.Delete(ctx, "api/v1/namespaces/kube-system/services/metrics-server"), p.kill())
	}
	if err := p.start(); err != nil {
		return nil, err
	}
	if err := c.registerMetrics(ctx, name, port); err != nil {
		return nil, errors.Join(fmt.Errorf("start metrics-server: %w", err), stop(ctx))
	}
	err = c.control.until(ctx, "metrics-server is available", func() (bool, error) {
		var service struct {
			Status struct{ Conditions []Condition }
		}
		if err := c.Get(ctx, apiService+"/"+name, &service); err != nil {
			return false, err
		}
		return holds(service.Status.Conditions, "Available"), fmt.Errorf("%+v", service.Status.Conditions)
	}, p)
	if err != nil {
		return nil, errors.Join(err, stop(ctx))
	}
	return stop, nil
}

// prepareMetrics applies the roles that the module of metrics-server has, and writes its files.
func (c *Cluster) prepareMetrics(ctx context.Context, port string) (*program, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/metrics-server")
	cmd.Dir = metricsModule(c.Wine.Root())
	cmd.Env = append(os.Environ(), "GOWORK=off")
	dir, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	roles := filepath.Join(string(bytes.TrimSpace(dir)), "manifests", "base", "rbac.yaml")
	if text, err := c.Kubectl(ctx, "apply", "-f", c.Wine.WindowsPath(roles)).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("apply %s: %w\n%s", roles, err, text)
	}
	var token struct{ Status struct{ Token string } }
	request := map[string]any{"spec": map[string]any{"expirationSeconds": int(lifetime.Seconds())}}
	if err := c.post(ctx, "api/v1/namespaces/kube-system/serviceaccounts/metrics-server/token", request, &token); err != nil {
		return nil, err
	}
	if err := c.control.writeKubeconfig("metrics-server", credentials{token: token.Status.Token}); err != nil {
		return nil, err
	}
	server, err := c.control.ca.server("metrics-server", []string{"metrics-server.kube-system.svc"}, net.ParseIP(localhost))
	if err != nil {
		return nil, err
	}
	if err := server.write(c.control.dir, "metrics-server"); err != nil {
		return nil, err
	}
	// kubelet's own certificate is signed by itself.
	args := append(c.control.serverFlags("metrics-server", port), "--tls-cert-file="+c.control.path("metrics-server.crt"),
		"--tls-private-key-file="+c.control.path("metrics-server.key"), "--kubelet-preferred-address-types=Hostname",
		"--kubelet-use-node-status-port", "--kubelet-insecure-tls", "--metric-resolution=15s")
	return &program{wine: c.Wine, name: "metrics-server", log: c.path("metrics-server.log"), args: args}, nil
}

// registerMetrics registers the aggregated API. A service of this type is the only one with a loopback address.
func (c *Cluster) registerMetrics(ctx context.Context, name, port string) error {
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	type object = map[string]any
	if err := c.Create(ctx, "api/v1/namespaces/kube-system/services", object{
		"apiVersion": "v1", "kind": "Service", "metadata": object{"name": "metrics-server"},
		"spec": object{"type": "ExternalName", "externalName": "localhost"},
	}); err != nil {
		return err
	}
	return c.Create(ctx, apiService, object{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": object{"name": name},
		"spec": object{
			"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100, "caBundle": c.control.ca.cert,
			"service": object{"name": "metrics-server", "namespace": "kube-system", "port": number},
		},
	})
}
