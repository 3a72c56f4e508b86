package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// NodeName is the name of the node. The apiserver reaches kubelet by it.
const NodeName = "localhost"

// kubeletDir has all files of kubelet.
const kubeletDir = `C:\silo\kubelet`

// PodLogs is the directory of kubelet's files with the output of containers.
const PodLogs = kubeletDir + `\logs`

// kubeletConfig takes the ports and the certificate of the authority.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: %[1]s
readOnlyPort: 0
healthzPort: 0
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: '%[2]s'}
authorization: {mode: Webhook}
rotateCertificates: true
containerRuntimeEndpoint: npipe:////./pipe/containerd-containerd
cgroupsPerQOS: false
enforceNodeAllocatable: []
resolvConf: ""
failSwapOn: false
volumePluginDir: 'C:\silo\kubelet\plugins'
podLogsDir: 'C:\silo\kubelet\logs'
containerLogMaxSize: 1Gi
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 1Mi, nodefs.available: 1%%, imagefs.available: 1%%}
logging: {verbosity: 2}
`

// values are what kubelet reads of the registry and Wine lacks. They are on the node only while the cluster runs.
var values = []struct{ key, name, kind, data string }{
	{`HKLM\Software\Microsoft\Windows NT\CurrentVersion`, "UBR", "REG_DWORD", "1"},
	{`HKLM\SYSTEM\HardwareConfig`, "LastConfig", "REG_SZ", "{00000000-0000-0000-0000-000000000001}"},
	{`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters`, "BootId", "REG_DWORD", "1"},
}

// Programs of Windows.
const (
	regExe = `C:\windows\system32\reg.exe`
	netExe = `C:\windows\system32\net.exe`
	scExe  = `C:\windows\system32\sc.exe`
)

// Node is a machine with containerd in its usual place, the shim as silo install puts it there, and kubelet.
type Node struct {
	*testenv.Containerd
	wine    *testenv.Env
	dir     string // of logs and other files, a Unix path
	silo    string // silo.exe
	kubelet *program
	port    string // of kubelet

	services  bool     // containerd and kubelet are services
	env       []string // of containerd
	osVersion string   // of the images: the version of Windows that the node reports
	images    []testenv.Image
}

// newNode is a node that is not started.
func newNode(c *control) *Node {
	return &Node{
		wine: c.wine, dir: c.dir, silo: filepath.Join(c.dir, "silo.exe"),
		env: []string{"WINEGAP_DLLS=" + testenv.NodeLibraries}, osVersion: testenv.OSVersion,
	}
}

// startNode starts a node that joins a cluster by TLS bootstrap.
func startNode(ctx context.Context, c *control) (*Node, error) {
	n := newNode(c)
	if err := n.start(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("start node: %w", err), n.stop())
	}
	return n, nil
}

func (n *Node) start(ctx context.Context, c *control) error {
	if err := n.setVersion(ctx, n.osVersion); err != nil { // also after a node that was not stopped
		return err
	}
	config, err := n.install(ctx)
	if err != nil {
		return err
	}
	if n.Containerd, err = n.wine.Installed(ctx, n.env...); err != nil {
		return err
	}
	if err := n.importImages(ctx, config); err != nil {
		return err
	}
	if err := n.setValues(ctx); err != nil {
		return err
	}
	return n.join(ctx, c)
}

// setValues sets the values of the registry.
func (n *Node) setValues(ctx context.Context) error {
	for _, v := range values {
		if err := n.setValue(ctx, v.key, v.name, v.kind, v.data); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) setValue(ctx context.Context, key, name, kind, data string) error {
	return n.run(ctx, regExe, "add", key, "/v", name, "/t", kind, "/d", data, "/f")
}

// install puts containerd, its default configuration and the shim where a Windows node has them. It returns the configuration.
func (n *Node) install(ctx context.Context) (config string, err error) {
	text, err := n.place(ctx, map[string]string{"containerd": "containerd.exe"})
	if err != nil {
		return "", err
	}
	// The installer's pod names no runtime class. The default handler of Windows is the reference shim, which is not here.
	config = strings.Replace(text, "default_runtime_name = 'runhcs-wcow-process'", "default_runtime_name = 'silo'", 1)
	if config == text {
		return "", errors.New("containerd config default: it has another default handler than runhcs-wcow-process")
	}
	if err := os.WriteFile(n.wine.UnixPath(testenv.InstallDir+`\config.toml`), []byte(config), 0o644); err != nil {
		return "", err
	}
	return config, n.Install(ctx, n.wine.Exe("containerd-shim-silo-v1"))
}

// place puts executables, and the configuration that containerd prints, into containerd's directory, and builds what the
// tests need. It returns the configuration.
func (n *Node) place(ctx context.Context, exes map[string]string) (config string, err error) {
	if err := n.removeFiles(); err != nil {
		return "", err
	}
	dir := n.wine.UnixPath(testenv.InstallDir)
	if err := os.MkdirAll(filepath.Join(dir, "cni", "conf"), 0o755); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Join(dir, "cni", "bin"), 0o755); err != nil {
		return "", err
	}
	// A node without a network is not ready. The payload is a plug-in that makes none.
	if err := os.WriteFile(filepath.Join(dir, "cni", "conf", "test.conf"), []byte(`{"cniVersion": "1.0.0", "name": "test", "type": "payload"}`), 0o644); err != nil {
		return "", err
	}
	exes["payload"] = "cni/bin/payload.exe"
	for from, to := range exes {
		if err := os.Link(n.wine.UnixPath(n.wine.Exe(from)), filepath.Join(dir, to)); err != nil {
			return "", err
		}
	}
	text, err := n.wine.Command(ctx, testenv.InstallDir+`\containerd.exe`, "config", "default").Output()
	if err != nil {
		return "", fmt.Errorf("containerd config default: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), text, 0o644); err != nil {
		return "", err
	}
	if err := n.build(ctx, n.silo, "./cmd/silo"); err != nil {
		return "", err
	}
	if err := n.build(ctx, n.wine.UnixPath(tarExe), "./test/cluster/tar"); err != nil {
		return "", err
	}
	return string(text), nil
}

// tarExe is a program that Windows has and kubectl cp needs.
const tarExe = `C:\windows\system32\tar.exe`

// build builds a command of this module.
func (n *Node) build(ctx context.Context, exe, command string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "no_grpc", "-trimpath", "-ldflags", "-s -w", "-o", exe, command)
	cmd.Dir = n.wine.Root()
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", command, err, text)
	}
	return nil
}

// Install runs silo install with the shim at a Windows path. On a node that has the shim it is an upgrade.
func (n *Node) Install(ctx context.Context, shim string) error {
	return n.run(ctx, n.wine.WindowsPath(n.silo), "install", "--edit", "--prefix", testenv.InstallDir, "--shim", shim)
}

// Silo prepares a command of silo on the node.
func (n *Node) Silo(ctx context.Context, args ...string) *exec.Cmd {
	return n.wine.Command(ctx, n.wine.WindowsPath(n.silo), args...)
}

// run runs a program that must succeed.
func (n *Node) run(ctx context.Context, exe string, args ...string) error {
	if text, err := n.wine.Command(ctx, exe, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", exe, args, err, text)
	}
	return nil
}

// join starts kubelet with nothing but a bootstrap token.
func (n *Node) join(ctx context.Context, c *control) error {
	args, err := n.configure(c)
	if err != nil {
		return err
	}
	n.kubelet = &program{
		wine: n.wine, name: "kubelet", log: filepath.Join(n.dir, "kubelet.log"), env: []string{"WINEGAP=kubelet"}, args: args,
	}
	if err := n.kubelet.start(); err != nil {
		return err
	}
	if err := c.until(ctx, "the node is ready", func() (bool, error) { return c.api.nodeReady(ctx) }, n.kubelet); err != nil {
		return err
	}
	n.kubelet.supervise() // it exits if containerd does not answer when it starts
	return nil
}

// configure writes kubelet's files and returns its arguments.
func (n *Node) configure(c *control) (args []string, err error) {
	dir := n.wine.UnixPath(kubeletDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := writeKubeconfig(filepath.Join(dir, "bootstrap"), c.server, c.ca.cert, credentials{token: bootstrapToken}); err != nil {
		return nil, err
	}
	if n.port, err = freePort(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), fmt.Appendf(nil, kubeletConfig, n.port, c.path("ca.crt")), 0o644); err != nil {
		return nil, err
	}
	address, err := hostAddress()
	if err != nil {
		return nil, err
	}
	return []string{"--config=" + kubeletDir + `\config.yaml`, "--root-dir=" + kubeletDir, "--cert-dir=" + kubeletDir + `\pki`,
		"--bootstrap-kubeconfig=" + kubeletDir + `\bootstrap`, "--kubeconfig=" + kubeletDir + `\kubeconfig`,
		"--hostname-override=" + NodeName, "--node-ip=" + address}, nil
}

// hostAddress is an address of this machine for the node's status: kubelet refuses a loopback address. Nothing listens there.
func hostAddress() (string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP.String(), nil
		}
	}
	return "", errors.New("find the node's address: this machine has no network interface but the loopback")
}

// KillKubelet ends kubelet at once; StartKubelet starts it again.
func (n *Node) KillKubelet() error { return n.kubelet.kill() }

// StartKubelet starts kubelet after [Node.KillKubelet].
func (n *Node) StartKubelet() error { return n.kubelet.start() }

// stop ends kubelet, containerd and all their descendants, and removes their files. It may be called on a partial node.
func (n *Node) stop() error {
	var errs []error
	if n.kubelet != nil {
		errs = append(errs, n.kubelet.kill())
	}
	ctx := context.Background()
	if n.services {
		errs = append(errs, n.removeServices(ctx))
	}
	if n.Containerd != nil {
		errs = append(errs, n.Stop(), n.Remove())
	}
	for _, v := range values { // a value that was never set cannot be deleted
		_ = n.wine.Command(ctx, regExe, "delete", v.key, "/v", v.name, "/f").Run()
	}
	return errors.Join(append(errs, n.setVersion(ctx, testenv.OSVersion), n.removeFiles())...)
}

// removeFiles removes all files of a node, also those of an earlier one that was not stopped.
func (n *Node) removeFiles() error {
	var errs []error
	for _, dir := range []string{testenv.InstallDir, kubeletDir, `C:\hpc`, `C:\var`, tarExe} {
		errs = append(errs, os.RemoveAll(n.wine.UnixPath(dir)))
	}
	return errors.Join(errs...)
}
