package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// The runtime handlers of a node of [Env.CRI].
const (
	// SiloHandler is the shim with containerd's pods: a pause container or a placeholder, and tasks.
	SiloHandler = "silo"
	// SandboxHandler is the shim with its Sandbox API.
	SandboxHandler = "silo-sandbox"
	// PeerHandler is the reference shim.
	PeerHandler = "runhcs"
)

// OSVersion is the version of Windows that Wine reports.
const OSVersion = "10.0.18362.0"

// The registry has the build of that version.
const (
	BuildKey   = `HKLM\Software\Microsoft\Windows NT\CurrentVersion`
	BuildValue = "CurrentBuildNumber"
)

// SandboxImage is the image of pod sandboxes. A node must import it before its first pod.
const SandboxImage = "test.invalid/pause:1"

// crictlBuild is the client of the Container Runtime Interface.
var crictlBuild = foreign{
	name: "cri-tools", module: "sigs.k8s.io/cri-tools", version: "v1.36.0", pkgs: []string{"cmd/crictl"},
	sums: `sigs.k8s.io/cri-tools v1.36.0 h1:Xt+LLvBVH1Fnp/AR2EyHApyWS/88y2KlWjlDc2HR+aw=
sigs.k8s.io/cri-tools v1.36.0/go.mod h1:6G/U59mqfhCocDGq5nET3A77GIf7h7ZZc93VM+uPS0U=
`,
}

// BuildCrictl builds crictl.exe and installs it.
func BuildCrictl(ctx context.Context, out io.Writer) error {
	e, err := locate()
	if err != nil {
		return err
	}
	return e.fetch(ctx, out, crictlBuild)
}

// criConfig is a configuration with the Container Runtime Interface (CRI).
const criConfig = `version = 2
root = 'C:\silo\%[1]s\root'
state = 'C:\silo\%[1]s\state'
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = '%[2]s'
[debug]
  level = "debug"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + SandboxImage + `"
  stats_collect_period = 1
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = '` + binWindows + `'
    conf_dir = 'C:\silo\%[1]s\cni'
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "windows"
    default_runtime_name = "` + SiloHandler + `"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.` + SiloHandler + `]
      runtime_type = "io.containerd.silo.v1"
      pod_annotations = ["io.siloshim.*", "microsoft.com/*"]
      container_annotations = ["io.siloshim.*", "microsoft.com/*"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.` + SandboxHandler + `]
      runtime_type = "io.containerd.silo.v1"
      sandboxer = "shim"
      pod_annotations = ["io.siloshim.*", "microsoft.com/*"]
      container_annotations = ["io.siloshim.*", "microsoft.com/*"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.` + PeerHandler + `]
      runtime_type = "io.containerd.runhcs.v1"
      pod_annotations = ["io.siloshim.*", "microsoft.com/*"]
      container_annotations = ["io.siloshim.*", "microsoft.com/*"]
`

// crictlConfig has the node's addresses, and a timeout in seconds that is as long as that of the tests.
const crictlConfig = `runtime-endpoint: "npipe:////./pipe/containerd-%[1]s"
image-endpoint: "npipe:////./pipe/containerd-%[1]s"
timeout: 600
`

// network is a CNI configuration with the payload as its plug-in. Pods of job containers use the host's network, but a node
// without a configuration is not ready.
const network = `{"cniVersion": "1.0.0", "name": "test", "type": "payload"}`

// Handlers are the shim's runtime handlers that the chosen version of containerd supports.
func Handlers() []string {
	for _, old := range []string{"1.", "2.0.", "2.1.", "2.2."} {
		if strings.HasPrefix(os.Getenv(DaemonKey), old) {
			return []string{SiloHandler}
		}
	}
	return []string{SiloHandler, SandboxHandler}
}

// CRI starts a containerd.exe as [Env.Containerd] does, which also serves the Container Runtime Interface of Kubernetes on
// the same pipe. Its images need the calls of test/hcsim/dll/image.c, which WINEGAP_DLLS or WINEGAP=peer supply.
func (e *Env) CRI(ctx context.Context, name string, env ...string) (*Containerd, error) {
	return e.containerd(ctx, name, map[string]string{
		"config.toml":   fmt.Sprintf(criConfig, name, address(name)),
		"crictl.yaml":   fmt.Sprintf(crictlConfig, name),
		"cni/test.conf": network,
	}, env)
}

// Crictl prepares a crictl.exe command against a daemon that [Env.CRI] started; see [BuildCrictl].
func (c *Containerd) Crictl(ctx context.Context, args ...string) *exec.Cmd {
	return c.wine.Command(ctx, c.wine.Exe("crictl"), append([]string{"--config", c.home + `\crictl.yaml`}, args...)...)
}
