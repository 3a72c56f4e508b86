package bootstrap

import "github.com/siloshim/siloshim/container/plan"

// mountTypes are the mounts that the shim makes itself when a container is created with them. Containerd then leaves
// them alone: the layers of a container are mounted once, by whoever unmounts them when it ends.
var mountTypes = []string{string(plan.WindowsLayer), string(plan.CimFS), string(plan.BlockCIM)}

// mountsAnnotation says so in a RuntimeInfo message, for a containerd that does not read MountCapabilities.
//
// https://github.com/containerd/containerd/blob/main/docs/shim-capabilities.md
const mountsAnnotation = "containerd.io/runtime-allow-mounts"
