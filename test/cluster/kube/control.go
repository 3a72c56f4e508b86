package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// control is a control plane: etcd, apiserver, controller manager and scheduler.
type control struct {
	wine *testenv.Env
	dir  string // of all files, a Unix path

	server   string // the URL of the apiserver
	ca       *authority
	api      *API
	programs []*program
}

// bootstrapToken identifies a kubelet that has no certificate yet.
const bootstrapToken = "bed001.0123456789abcdef"

// localhost is the only address that a cluster listens on.
const localhost = "127.0.0.1"

// freePort finds a port that no program listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", localhost+":0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// startControl starts a control plane and waits until it is ready.
func startControl(ctx context.Context, wine *testenv.Env, dir string) (*control, error) {
	c := &control{wine: wine, dir: dir}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start control plane: %w", err), c.stop())
	}
	return c, nil
}

func (c *control) start(ctx context.Context) error {
	var ports [5]string
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return err
		}
	}
	c.server = "https://" + net.JoinHostPort(localhost, ports[2])
	if err := c.writeFiles(); err != nil {
		return err
	}
	etcd, peer := "http://"+net.JoinHostPort(localhost, ports[0]), "http://"+net.JoinHostPort(localhost, ports[1])
	data := filepath.Join(c.dir, "etcd")
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	if err := c.run("etcd", "--data-dir="+c.path("etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer); err != nil {
		return err
	}
	if err := c.run("kube-apiserver", "--etcd-servers="+etcd, "--bind-address="+localhost, "--secure-port="+ports[2],
		"--tls-cert-file="+c.path("apiserver.crt"), "--tls-private-key-file="+c.path("apiserver.key"),
		"--client-ca-file="+c.path("ca.crt"), "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--enable-bootstrap-token-auth", "--kubelet-client-certificate="+c.path("to-kubelet.crt"), "--kubelet-client-key="+c.path("to-kubelet.key"),
		"--kubelet-preferred-address-types=Hostname,InternalIP", "--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.path("tokens.pub"), "--service-account-signing-key-file="+c.path("tokens.key"),
		"--requestheader-client-ca-file="+c.path("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+c.path("front-proxy-client.crt"), "--proxy-client-key-file="+c.path("front-proxy-client.key"),
		"--service-cluster-ip-range=10.96.0.0/24", "--endpoint-reconciler-type=none", "--allow-privileged", "--profiling=false", "--cert-dir="+c.path("apiserver")); err != nil {
		return err
	}
	if err := c.until(ctx, "the apiserver is ready", func() (bool, error) {
		err := c.api.Ready(ctx)
		return err == nil, err
	}); err != nil {
		return err
	}
	if err := c.grantBootstrap(ctx); err != nil {
		return err
	}
	if err := c.run("kube-controller-manager", append(c.clientFlags("kube-controller-manager", ports[3]), "--use-service-account-credentials", "--controllers=*,bootstrapsigner,tokencleaner",
		"--root-ca-file="+c.path("ca.crt"), "--service-account-private-key-file="+c.path("tokens.key"),
		"--cluster-signing-cert-file="+c.path("ca.crt"), "--cluster-signing-key-file="+c.path("ca.key"))...); err != nil {
		return err
	}
	return c.run("kube-scheduler", c.clientFlags("kube-scheduler", ports[4])...)
}

// clientFlags are the flags that the controller manager and the scheduler have in common.
func (c *control) clientFlags(name, port string) []string {
	return append(c.serverFlags(name, port), "--leader-elect=false", "--profiling=false")
}

// serverFlags are the flags of a server that is a client of the apiserver, too.
func (c *control) serverFlags(name, port string) []string {
	config := c.path(name + ".kubeconfig")
	return []string{"--kubeconfig=" + config, "--authentication-kubeconfig=" + config, "--authorization-kubeconfig=" + config,
		"--bind-address=" + localhost, "--secure-port=" + port, "--cert-dir=" + c.path(name)}
}

// writeFiles makes the certificates and the configurations of the clients.
func (c *control) writeFiles() error {
	var err error
	if c.ca, err = newAuthority(); err != nil {
		return err
	}
	if err := c.ca.write(c.dir, "ca"); err != nil {
		return err
	}
	if err := writeSigningKey(c.dir, "tokens"); err != nil {
		return err
	}
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	server, err := c.ca.server("kube-apiserver", names, net.ParseIP(localhost), net.ParseIP("10.96.0.1"))
	if err != nil {
		return err
	}
	if err := server.write(c.dir, "apiserver"); err != nil {
		return err
	}
	toKubelet, err := c.ca.client("kube-apiserver-kubelet-client", "system:masters")
	if err != nil {
		return err
	}
	if err := toKubelet.write(c.dir, "to-kubelet"); err != nil {
		return err
	}
	if err := c.writeFrontProxy(); err != nil {
		return err
	}
	admin, err := c.ca.client("admin", "system:masters")
	if err != nil {
		return err
	}
	if c.api, err = newAPI(c.server, c.ca.cert, admin); err != nil {
		return err
	}
	if err := c.writeKubeconfig("admin", credentials{pair: admin}); err != nil {
		return err
	}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler"} {
		client, err := c.ca.client("system:" + name)
		if err != nil {
			return err
		}
		if err := c.writeKubeconfig(name, credentials{pair: client}); err != nil {
			return err
		}
	}
	return nil
}

// writeFrontProxy makes the certificate by which the apiserver identifies itself to aggregated API servers. Its authority signs
// nothing else.
func (c *control) writeFrontProxy() error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	if err := ca.write(c.dir, "front-proxy-ca"); err != nil {
		return err
	}
	client, err := ca.client("front-proxy-client")
	if err != nil {
		return err
	}
	return client.write(c.dir, "front-proxy-client")
}

func (c *control) writeKubeconfig(name string, who credentials) error {
	return writeKubeconfig(filepath.Join(c.dir, name+".kubeconfig"), c.server, c.ca.cert, who)
}

// grantBootstrap stores the bootstrap token, and permits its holders to request a certificate. The controller manager
// approves the request.
func (c *control) grantBootstrap(ctx context.Context) error {
	type object = map[string]any
	id, secret, _ := strings.Cut(bootstrapToken, ".")
	err := c.api.Create(ctx, "api/v1/namespaces/kube-system/secrets", object{
		"apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token",
		"metadata": object{"name": "bootstrap-token-" + id},
		"stringData": object{
			"token-id": id, "token-secret": secret, "usage-bootstrap-authentication": "true", "usage-bootstrap-signing": "true",
		},
	})
	if err != nil {
		return err
	}
	for role, group := range map[string]string{
		"system:node-bootstrapper": "system:bootstrappers",
		"system:certificates.k8s.io:certificatesigningrequests:nodeclient":     "system:bootstrappers",
		"system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": "system:nodes",
	} {
		err := c.api.Create(ctx, "apis/rbac.authorization.k8s.io/v1/clusterrolebindings", object{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
			"metadata": object{"name": "test:" + role[strings.LastIndex(role, ":")+1:]},
			"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
			"subjects": []object{{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// run starts one program.
func (c *control) run(name string, args ...string) error {
	p := &program{wine: c.wine, name: name, log: filepath.Join(c.dir, name+".log"), args: args}
	c.programs = append(c.programs, p)
	return p.start()
}

// until polls while all programs of the control plane and others run.
func (c *control) until(ctx context.Context, what string, holds func() (bool, error), others ...*program) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return Until(ctx, what, func() (bool, error) {
		for _, p := range append(others, c.programs...) {
			if err := p.exited(); err != nil {
				cancel()
				return false, err
			}
		}
		return holds()
	})
}

// path is the Windows path of a file.
func (c *control) path(name string) string { return c.wine.WindowsPath(filepath.Join(c.dir, name)) }

// stop ends all programs.
func (c *control) stop() error {
	var errs []error
	for i := len(c.programs) - 1; i >= 0; i-- {
		errs = append(errs, c.programs[i].kill())
	}
	c.programs = nil
	return errors.Join(errs...)
}

// apiserver is the program that the others need.
func (c *control) apiserver() *program {
	for _, p := range c.programs {
		if p.name == "kube-apiserver" {
			return p
		}
	}
	return nil
}
