package bed

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
)

// The runtime handlers that a [CRI] knows.
const (
	// SiloHandler is the shim with containerd's own pods: a pause container, or what stands for it, and tasks.
	SiloHandler = "silo"
	// SandboxHandler is the shim with its Sandbox API.
	SandboxHandler = "silo-sandbox"
	// PeerHandler is the reference shim.
	PeerHandler = "runhcs"
)

// OSVersion is the version of Windows that Wine tells.
const OSVersion = "10.0.18362.0"

// SandboxImage is the image that pods want. A node must import one of that name before its first pod.
const SandboxImage = "bed.invalid/pause:1"

// crictlBuild is the client of the Container Runtime Interface.
var crictlBuild = foreign{
	name: "cri-tools", module: "sigs.k8s.io/cri-tools", version: "v1.36.0", pkgs: []string{"cmd/crictl"},
	sums: `sigs.k8s.io/cri-tools v1.36.0 h1:Xt+LLvBVH1Fnp/AR2EyHApyWS/88y2KlWjlDc2HR+aw=
sigs.k8s.io/cri-tools v1.36.0/go.mod h1:6G/U59mqfhCocDGq5nET3A77GIf7h7ZZc93VM+uPS0U=
`,
}

// BuildCrictl builds crictl.exe and installs it.
func BuildCrictl(ctx context.Context, out io.Writer) error {
	b, err := locate()
	if err != nil {
		return err
	}
	return b.fetch(ctx, out, crictlBuild)
}

// criConfig is a configuration with the Container Runtime Interface.
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
      pod_annotations = ["microsoft.com/*"]
      container_annotations = ["microsoft.com/*"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.` + SandboxHandler + `]
      runtime_type = "io.containerd.silo.v1"
      sandboxer = "shim"
      pod_annotations = ["microsoft.com/*"]
      container_annotations = ["microsoft.com/*"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.` + PeerHandler + `]
      runtime_type = "io.containerd.runhcs.v1"
      pod_annotations = ["microsoft.com/*"]
      container_annotations = ["microsoft.com/*"]
`

// crictlConfig tells crictl.exe where the node is.
const crictlConfig = `runtime-endpoint: "npipe:////./pipe/containerd-%[1]s"
image-endpoint: "npipe:////./pipe/containerd-%[1]s"
timeout: 60
`

// network is a CNI configuration whose plug-in is the payload. Pods of job containers are on the host's network and make
// no use of it, but without one the node would not be ready.
const network = `{"cniVersion": "1.0.0", "name": "bed", "type": "payload"}`

// CRI is a containerd.exe that serves the Container Runtime Interface of Kubernetes. Its images are kept by containerd,
// which wants the calls of test/hcsim/dll/image.c for them, as WINEGAP_DLLS or WINEGAP=peer bring them.
type CRI struct {
	*Containerd
}

// Handlers are the runtime handlers of the shim that the version of containerd on the bed can use.
func Handlers() []string {
	if slices.Contains([]string{"2.2.9", "2.1.9", "2.0.14", "1.7.35"}, os.Getenv(DaemonKey)) {
		return []string{SiloHandler}
	}
	return []string{SiloHandler, SandboxHandler}
}

// CRI starts a containerd.exe as [Bed.Containerd] does, with the Container Runtime Interface on the same pipe.
func (b *Bed) CRI(ctx context.Context, name string, env ...string) (*CRI, error) {
	c, err := b.containerd(ctx, name, map[string]string{
		"config.toml":  fmt.Sprintf(criConfig, name, address(name)),
		"crictl.yaml":  fmt.Sprintf(crictlConfig, name),
		"cni/bed.conf": network,
	}, env)
	if err != nil {
		return nil, err
	}
	return &CRI{c}, nil
}

// Crictl prepares a crictl.exe command against this daemon.
func (c *CRI) Crictl(ctx context.Context, args ...string) *exec.Cmd {
	return c.bed.Command(ctx, c.bed.Exe("crictl"), append([]string{"--config", c.windowsDir() + `\crictl.yaml`}, args...)...)
}
