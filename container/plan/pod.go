package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/podinfo"
)

// Role is the role of a container in a pod, according to the annotations of containerd's CRI.
//
// https://github.com/containerd/containerd/blob/main/internal/cri/annotations/annotations.go
type Role uint8

// The roles.
const (
	Alone    Role = iota // not in a pod
	Sandbox              // the sandbox of a pod
	Workload             // any other container of a pod
)

// RoleOf returns the role of the container id, and the id of the sandbox of its pod. A sandbox that names another sandbox
// is [errdefs.ErrFailedPrecondition].
func RoleOf(id string, a map[string]string) (Role, string, error) {
	sandbox := a[annotations.KubernetesSandboxID]
	switch kind := a[annotations.KubernetesContainerType]; {
	case kind == "sandbox" && sandbox != "" && sandbox != id:
		return Sandbox, id, fmt.Errorf("annotation %s names sandbox %s, but container %s is a sandbox: %w",
			annotations.KubernetesSandboxID, sandbox, id, errdefs.ErrFailedPrecondition)
	case kind == "sandbox":
		return Sandbox, id, nil
	case kind == "container" && sandbox != "" && sandbox != id:
		return Workload, sandbox, nil
	}
	return Alone, "", nil
}

// Annotations of containerd's CRI that hcsshim does not list.
const (
	sandboxName      = "io.kubernetes.cri.sandbox-name"
	sandboxNamespace = "io.kubernetes.cri.sandbox-namespace"
	sandboxUID       = "io.kubernetes.cri.sandbox-uid"
	containerName    = "io.kubernetes.cri.container-name"
)

// podOf returns what the annotations tell of the pod. The name is empty if there is no pod.
func podOf(a map[string]string) podinfo.Pod {
	return podinfo.Pod{
		Name: a[sandboxName], Namespace: a[sandboxNamespace], UID: a[sandboxUID], Container: a[containerName],
		Type: a[annotations.KubernetesContainerType], Sandbox: a[annotations.KubernetesSandboxID],
	}
}

// isPlaceholder reports whether a specification is that of a sandbox without a process, which a pod of job containers
// has. Only its annotations are used.
func isPlaceholder(s *specs.Spec) bool {
	return IsHostProcess(s) && s.Annotations[annotations.KubernetesContainerType] == "sandbox"
}

// CheckPlaceholder returns an error if job containers are not permitted in the pod of this sandbox.
func CheckPlaceholder(s *specs.Spec) error { return checkHostProcess(s) }

// Annotations reads only the annotations of config.json. They are empty without that file, or with an empty one, which
// containerd makes for a sandbox of the Sandbox API.
func Annotations(bundle string) (map[string]string, error) {
	data, err := read(bundle)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s struct{ Annotations map[string]string }
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("config.json: %s: %w", jsonCause(err), errdefs.ErrInvalidArgument)
	}
	return s.Annotations, nil
}

// inherited are the annotations of a pod that apply to its job containers.
var inherited = []string{annotations.HostProcessInheritUser, annotations.HostProcessRootfsLocation}

// inherit adds annotations of the pod to those of a job container, which take precedence.
func inherit(s *specs.Spec, pod map[string]string) {
	for _, key := range inherited {
		if value, wanted := pod[key]; wanted {
			addMissing(s.Annotations, map[string]string{key: value})
		}
	}
}

// shell is the default program of the base images of Windows. It exits at once without a console.
const shell = `c:\windows\system32\cmd.exe`

// keepRunning replaces the default shell of a sandbox's image with a program that does not exit, because the pod ends
// with the program of its sandbox.
func keepRunning(s *specs.Spec) {
	p := s.Process
	if p != nil && p.CommandLine == "" && len(p.Args) == 1 && strings.EqualFold(backslashes(p.Args[0]), shell) {
		p.Args = []string{`C:\Windows\System32\ping.exe`, "-t", "127.0.0.1"}
	}
}

// joinNetwork puts a Windows Server container into the network namespace of its pod, if the pod has one. A container that
// names another namespace is [errdefs.ErrInvalidArgument].
func joinNetwork(s *specs.Spec, namespace string) error {
	if namespace == "" || s.Windows == nil {
		return nil
	}
	if s.Windows.Network == nil {
		s.Windows.Network = &specs.WindowsNetwork{}
	}
	n := s.Windows.Network
	if own := n.NetworkNamespace; own != "" && !strings.EqualFold(own, namespace) || len(n.EndpointList) > 0 {
		return fmt.Errorf("windows.network: the container joins network namespace %s of its pod; name no other and no endpoints: %w",
			namespace, errdefs.ErrInvalidArgument)
	}
	n.NetworkNamespace = namespace
	return nil
}
