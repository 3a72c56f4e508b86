package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// Node is a machine with containerd in its usual place, the shim as silo install puts it there, and kubelet.
type Node struct {
	*testenv.Containerd
	wine    *testenv.Env
	dir     string // of logs and other files, a Unix path
	silo    string // silo.exe
	kubelet *program
	port    string // of kubelet
}

// startNode starts a node that joins a cluster by TLS bootstrap.
func startNode(ctx context.Context, c *control) (*Node, error) {
	n := &Node{wine: c.wine, dir: c.dir, silo: filepath.Join(c.dir, "silo.exe")}
	if err := n.start(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("start node: %w", err), n.stop())
	}
	return n, nil
}

func (n *Node) start(ctx context.Context, c *control) error {
	config, err := n.install(ctx)
	if err != nil {
		return err
	}
	if n.Containerd, err = n.wine.Installed(ctx, "WINEGAP_DLLS="+testenv.NodeLibraries); err != nil {
		return err
	}
	if err := n.importImages(ctx, config); err != nil {
		return err
	}
	for _, v := range values {
		if err := n.run(ctx, `C:\windows\system32\reg.exe`, "add", v.key, "/v", v.name, "/t", v.kind, "/d", v.data, "/f"); err != nil {
			return err
		}
	}
	return n.join(ctx, c)
}

// install puts containerd, its default configuration and the shim where a Windows node has them. It returns the configuration.
func (n *Node) install(ctx context.Context) (config string, err error) {
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
	for from, to := range map[string]string{"containerd": "containerd.exe", "payload": "cni/bin/payload.exe"} {
		if err := os.Link(n.wine.UnixPath(n.wine.Exe(from)), filepath.Join(dir, to)); err != nil {
			return "", err
		}
	}
	text, err := n.wine.Command(ctx, testenv.InstallDir+`\containerd.exe`, "config", "default").Output()
	if err != nil {
		return "", fmt.Errorf("containerd config default: %w", err)
	}
	// The installer's pod names no runtime class. The default handler of Windows is the reference shim, which is not here.
	config = strings.Replace(string(text), "default_runtime_name = 'runhcs-wcow-process'", "default_runtime_name = 'silo'", 1)
	if config == string(text) {
		return "", errors.New("containerd config default: it has another default handler than runhcs-wcow-process")
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o644); err != nil {
		return "", err
	}
	if err := n.build(ctx, n.silo, "./cmd/silo"); err != nil {
		return "", err
	}
	if err := n.build(ctx, n.wine.UnixPath(tarExe), "./test/cluster/tar"); err != nil {
		return "", err
	}
	return config, n.Install(ctx, n.wine.Exe("containerd-shim-silo-v1"))
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

// sandboxImage is the image of pods in containerd's configuration.
var sandboxImage = regexp.MustCompile(`(?m)^\s*sandbox = '(.+)'$`)

// importImages imports the images of the tests.
func (n *Node) importImages(ctx context.Context, config string) error {
	pause := sandboxImage.FindStringSubmatch(config)
	if pause == nil {
		return errors.New("containerd config default: it has no sandbox image")
	}
	const mount = `%CONTAINER_SANDBOX_MOUNT_POINT%\`
	payload := map[string]string{"payload.exe": n.wine.UnixPath(n.wine.Exe("payload"))}
	archive := filepath.Join(n.dir, "images.tar")
	err := testenv.WriteImages(archive,
		testenv.Image{Name: pause[1], OSVersion: testenv.OSVersion, Entrypoint: []string{n.wine.Exe("payload"), "sleep", "86400"}, Files: payload},
		testenv.Image{Name: PayloadImage, OSVersion: testenv.OSVersion, Entrypoint: []string{mount + "payload.exe"}, Files: payload},
		testenv.Image{Name: SiloImage, OSVersion: testenv.OSVersion, Entrypoint: []string{mount + "silo.exe"}, Files: map[string]string{
			"silo.exe": n.silo, "containerd-shim-silo-v1.exe": n.wine.UnixPath(n.wine.Exe("containerd-shim-silo-v1")),
		}},
	)
	if err != nil {
		return err
	}
	if text, err := n.Ctr(ctx, "-n", "k8s.io", "images", "import", "--all-platforms", n.wine.WindowsPath(archive)).CombinedOutput(); err != nil {
		return fmt.Errorf("import images: %w\n%s", err, text)
	}
	return os.Remove(archive)
}

// join starts kubelet with nothing but a bootstrap token.
func (n *Node) join(ctx context.Context, c *control) error {
	dir := n.wine.UnixPath(kubeletDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeKubeconfig(filepath.Join(dir, "bootstrap"), c.server, c.ca.cert, credentials{token: bootstrapToken}); err != nil {
		return err
	}
	var err error
	if n.port, err = freePort(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), fmt.Appendf(nil, kubeletConfig, n.port, c.path("ca.crt")), 0o644); err != nil {
		return err
	}
	address, err := hostAddress()
	if err != nil {
		return err
	}
	n.kubelet = &program{
		wine: n.wine, name: "kubelet", log: filepath.Join(n.dir, "kubelet.log"), env: []string{"WINEGAP=kubelet"},
		args: []string{"--config=" + kubeletDir + `\config.yaml`, "--root-dir=" + kubeletDir, "--cert-dir=" + kubeletDir + `\pki`,
			"--bootstrap-kubeconfig=" + kubeletDir + `\bootstrap`, "--kubeconfig=" + kubeletDir + `\kubeconfig`,
			"--hostname-override=" + NodeName, "--node-ip=" + address},
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
	if n.Containerd != nil {
		errs = append(errs, n.Stop(), n.Remove())
	}
	ctx := context.Background()
	for _, v := range values { // a value that was never set cannot be deleted
		_ = n.wine.Command(ctx, `C:\windows\system32\reg.exe`, "delete", v.key, "/v", v.name, "/f").Run()
	}
	return errors.Join(append(errs, n.removeFiles())...)
}

// removeFiles removes all files of a node, also those of an earlier one that was not stopped.
func (n *Node) removeFiles() error {
	var errs []error
	for _, dir := range []string{testenv.InstallDir, kubeletDir, `C:\hpc`, `C:\var`, tarExe} {
		errs = append(errs, os.RemoveAll(n.wine.UnixPath(dir)))
	}
	return errors.Join(errs...)
}
