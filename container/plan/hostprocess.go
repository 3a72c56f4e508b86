package plan

import (
	"fmt"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject"
)

// HostProcess is the plan of a job container.
type HostProcess struct {
	// Root is the root file system, or nil for a job that has only the host's files.
	Root *Root
	// Mounts are made in this order.
	Mounts []Mount
	// Silo reports whether the job must be a silo, which has its own view of the host's files.
	Silo bool
	// Limits has JobMemory, either CPURate or CPUWeight, and Affinity, as far as they are requested.
	Limits jobobject.Limits
	// Requested is for the first update.
	Requested Requested
	// Process is the init process.
	Process Process
	// InheritUser runs every process as the user of the shim.
	InheritUser bool
	// Pod is the pod of the container; without one it has no name.
	Pod podinfo.Pod
	Unsupported

	host Machine
	user string // of the specification
}

// HostProcess plans the job container id. rootfs are the mounts of the request. An unsupported field is
// [errdefs.ErrNotImplemented], an invalid value [errdefs.ErrInvalidArgument]; both name the field.
func (h Machine) HostProcess(id string, s *specs.Spec, rootfs []specs.Mount) (*HostProcess, error) {
	if err := checkHostProcess(s); err != nil {
		return nil, err
	}
	j := &HostProcess{
		host:        h.withDefaults(),
		Unsupported: Unsupported{bestEffort: s.Annotations[BestEffort] == "true"},
		InheritUser: s.Annotations[annotations.HostProcessInheritUser] == "true",
	}
	if err := j.planRoot(id, s, rootfs); err != nil {
		return nil, err
	}
	j.Silo = j.Root != nil && j.host.binds()
	for _, plan := range []func(*specs.Spec) error{j.planMounts, j.planCredentials, j.planLimits, j.planInit} {
		if err := plan(s); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// Program plans a job container for one program on the host's own files, as the user of this process and without limits.
// dir is absolute, and env has the program's own entries. The program is searched at once, in dir and in the PATH of env
// over base; the process of the plan has the paths that were found and no Search. Errors are those of
// [Machine.HostProcess] and name the fields of an OCI specification. A batch file is run by cmd.exe, which a specification
// does not do.
func (h Machine) Program(args []string, dir string, env, base []string) (*HostProcess, error) {
	j := &HostProcess{host: h.withDefaults(), InheritUser: true}
	process := &specs.Process{Args: args, Cwd: dir, Env: env}
	if len(args) > 0 && isBatch(args[0]) {
		var err error
		if process, err = j.batch(args, dir, env, base); err != nil {
			return nil, err
		}
	}
	p, err := j.Exec(process)
	if err != nil {
		return nil, err
	}
	if p.Program, p.Dir, err = p.Search.In(nil, MergeEnv(base, p.Env)); err != nil {
		return nil, err
	}
	p.Search = nil
	j.Process = *p
	return j, nil
}

// IsHostProcess reports whether a specification is that of a job container. Any other is that of a Windows Server
// container.
func IsHostProcess(s *specs.Spec) bool {
	return s.Annotations[annotations.HostProcessContainer] == "true"
}

// checkWindows refuses containers that do not share the kernel of the host.
func checkWindows(s *specs.Spec) error {
	switch {
	case s.Linux != nil:
		return fmt.Errorf("linux: Linux containers are not implemented: %w", errdefs.ErrNotImplemented)
	case s.VM != nil:
		return fmt.Errorf("vm: virtual machines are not implemented: %w", errdefs.ErrNotImplemented)
	case s.Windows == nil:
		return fmt.Errorf("windows is missing; add \"windows\": {}: %w", errdefs.ErrInvalidArgument)
	case s.Windows.HyperV != nil:
		return fmt.Errorf("windows.hyperv: Hyper-V isolation is not implemented: %w", errdefs.ErrNotImplemented)
	}
	return nil
}

// checkHostProcess refuses specifications that are not those of a permitted job container.
func checkHostProcess(s *specs.Spec) error {
	if err := checkWindows(s); err != nil {
		return err
	}
	switch {
	case !IsHostProcess(s):
		return fmt.Errorf("annotation %s is not \"true\": the container is not a job container: %w", annotations.HostProcessContainer, errdefs.ErrInvalidArgument)
	case s.Annotations[annotations.DisableHostProcessContainer] == "true", s.Annotations[annotations.DisableUnsafeOperations] == "true":
		return fmt.Errorf("annotation %s forbids job containers: %w", annotations.DisableHostProcessContainer, errdefs.ErrPermissionDenied)
	}
	return nil
}

func (j *HostProcess) planCredentials(s *specs.Spec) error {
	if s.Windows.CredentialSpec == nil {
		return nil
	}
	return j.unsupported("windows.credentialSpec", "group managed service accounts are not implemented")
}

func (j *HostProcess) planInit(s *specs.Spec) error {
	if s.Process == nil {
		return errNoProcess
	}
	if s.Process.User.Username == "" && !j.InheritUser {
		return fmt.Errorf("process.user.username is missing; name a user, or set annotation %s to \"true\": %w",
			annotations.HostProcessInheritUser, errdefs.ErrInvalidArgument)
	}
	j.user, j.Process.Username = s.Process.User.Username, s.Process.User.Username
	p, err := j.Exec(s.Process)
	if err != nil {
		return err
	}
	j.Process = *p
	return nil
}
