package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Role is the part that a container has in a pod, as the annotations tell that Kubernetes' runtime interface gives it.
//
// https://github.com/containerd/containerd/blob/main/internal/cri/annotations/annotations.go
type Role uint8

// The roles. Alone is a container outside of any pod.
const (
	Alone Role = iota
	Sandbox
	Workload
)

// RoleOf tells the role of the container id, and the sandbox of its pod. A sandbox that names another one is
// [errdefs.ErrFailedPrecondition].
func RoleOf(id string, a map[string]string) (Role, string, error) {
	sandbox := a[annotations.KubernetesSandboxID]
	switch kind := a[annotations.KubernetesContainerType]; {
	case kind == "sandbox" && sandbox != "" && sandbox != id:
		return Sandbox, id, fmt.Errorf("annotation %s names sandbox %s, but %s is to be one: %w",
			annotations.KubernetesSandboxID, sandbox, id, errdefs.ErrFailedPrecondition)
	case kind == "sandbox":
		return Sandbox, id, nil
	case kind == "container" && sandbox != "" && sandbox != id:
		return Workload, sandbox, nil
	}
	return Alone, "", nil
}

// IsPlaceholder reports whether a spec is that of a sandbox without a process: that of a pod of job containers. Nothing of it
// concerns the shim but its annotations.
func IsPlaceholder(s *specs.Spec) bool {
	return IsHostProcess(s) && s.Annotations[annotations.KubernetesContainerType] == "sandbox"
}

// CheckPlaceholder returns why a sandbox of job containers would be refused, or nil.
func CheckPlaceholder(s *specs.Spec) error { return isHostProcess(s) }

// Annotations reads the annotations of a bundle's spec and nothing else. A bundle without a spec, or with an empty one,
// has none: containerd makes such for a sandbox that the Sandbox API creates.
func Annotations(bundle string) (map[string]string, error) {
	data, err := read(filepath.Join(bundle, "config.json"))
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

// inherited are the annotations that hold for all job containers of a pod.
var inherited = []string{annotations.HostProcessInheritUser, annotations.HostProcessRootfsLocation}

// Inherit gives a job container the wishes of its pod that it has none of its own for.
func Inherit(s *specs.Spec, pod map[string]string) {
	for _, key := range inherited {
		value, wanted := pod[key]
		if _, own := s.Annotations[key]; wanted && !own {
			s.Annotations[key] = value // a job container has annotations: one makes it that
		}
	}
}

// idle is what the base images of Windows run by default. It ends at once where nobody types.
const idle = `c:\windows\system32\cmd.exe`

// KeepRunning gives the sandbox of a pod a program that does not end by itself, where its image has none: a shell that
// nobody talks to would end, and the pod with it.
func KeepRunning(s *specs.Spec) {
	p := s.Process
	if p != nil && p.CommandLine == "" && len(p.Args) == 1 && strings.EqualFold(backslashes(p.Args[0]), idle) {
		p.Args = []string{`C:\Windows\System32\ping.exe`, "-t", "127.0.0.1"}
	}
}

// JoinNetwork puts a Windows Server container into the network namespace of its pod, if that has one. A container that
// names another is [errdefs.ErrInvalidArgument].
func JoinNetwork(s *specs.Spec, namespace string) error {
	if namespace == "" || s.Windows == nil {
		return nil
	}
	if s.Windows.Network == nil {
		s.Windows.Network = &specs.WindowsNetwork{}
	}
	n := s.Windows.Network
	if own := n.NetworkNamespace; own != "" && !strings.EqualFold(own, namespace) || len(n.EndpointList) > 0 {
		return fmt.Errorf("windows.network: the container joins network namespace %s of its pod: name no other and no endpoints: %w",
			namespace, errdefs.ErrInvalidArgument)
	}
	n.NetworkNamespace = namespace
	return nil
}
