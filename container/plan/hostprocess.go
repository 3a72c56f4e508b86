package plan

import (
	"fmt"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// BestEffort is the annotation that, when "true", turns what a job container cannot do into a warning.
const BestEffort = "io.siloshim.best-effort"

// HostProcess is the plan of a job container.
type HostProcess struct {
	// Root is the root file system, or nil: then the job works on the host's own files.
	Root *Root
	// Mounts are shown to the job, in their order.
	Mounts []Mount
	// Silo says that the job must be a silo, for a view of its own of the host's files.
	Silo   bool
	Limits Limits
	// Requested is for the first update.
	Requested Requested
	// Process is the init process.
	Process Process
	// InheritUser runs every process as the shim's own user.
	InheritUser bool
	Compromise

	host Machine
	user string // that the spec names
}

// HostProcess plans a job container called id; rootfs are the mounts that came with it. A kind of container, or a wish, that is not implemented is
// [errdefs.ErrNotImplemented] and names the field; a value that makes no sense is [errdefs.ErrInvalidArgument]; a
// program that does not exist is [errdefs.ErrNotFound].
func (h Machine) HostProcess(id string, s *specs.Spec, rootfs []specs.Mount) (*HostProcess, error) {
	if err := isHostProcess(s); err != nil {
		return nil, err
	}
	j := &HostProcess{
		host:        h.withDefaults(),
		Compromise:  Compromise{bestEffort: s.Annotations[BestEffort] == "true"},
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
// [Machine.HostProcess] and name the fields of an OCI specification.
func (h Machine) Program(args []string, dir string, env, base []string) (*HostProcess, error) {
	j := &HostProcess{host: h.withDefaults(), InheritUser: true}
	p, err := j.Exec(&specs.Process{Args: args, Cwd: dir, Env: env})
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

// IsHostProcess tells whether a spec asks for a job container, and not for a Windows Server container.
func IsHostProcess(s *specs.Spec) bool {
	return s.Annotations[annotations.HostProcessContainer] == "true"
}

// isWindows refuses what is no container that shares the kernel of this host.
func isWindows(s *specs.Spec) error {
	switch {
	case s.Linux != nil:
		return fmt.Errorf("linux: Linux containers are not implemented: %w", errdefs.ErrNotImplemented)
	case s.VM != nil:
		return fmt.Errorf("vm: virtual machines are not implemented: %w", errdefs.ErrNotImplemented)
	case s.Windows == nil:
		return fmt.Errorf("windows is missing: add \"windows\": {}: %w", errdefs.ErrInvalidArgument)
	case s.Windows.HyperV != nil:
		return fmt.Errorf("windows.hyperv: Hyper-V isolation is not implemented: %w", errdefs.ErrNotImplemented)
	}
	return nil
}

// isJob refuses every kind of container but a job container.
func isHostProcess(s *specs.Spec) error {
	if err := isWindows(s); err != nil {
		return err
	}
	switch {
	case !IsHostProcess(s):
		return fmt.Errorf("annotation %s is not \"true\": this is no job container: %w", annotations.HostProcessContainer, errdefs.ErrInvalidArgument)
	case s.Annotations[annotations.DisableHostProcessContainer] == "true", s.Annotations[annotations.DisableUnsafeOperations] == "true":
		return fmt.Errorf("annotation %s forbids job containers: %w", annotations.DisableHostProcessContainer, errdefs.ErrPermissionDenied)
	}
	return nil
}

func (j *HostProcess) planCredentials(s *specs.Spec) error {
	if s.Windows.CredentialSpec == nil {
		return nil
	}
	return j.lacks("windows.credentialSpec", "group managed service accounts are not implemented")
}

func (j *HostProcess) planInit(s *specs.Spec) error {
	if s.Process == nil {
		return fmt.Errorf("process is missing: say what to run in process.args: %w", errdefs.ErrInvalidArgument)
	}
	if s.Process.User.Username == "" && !j.InheritUser {
		return fmt.Errorf("process.user.username is missing: name a user, or set annotation %s to \"true\": %w",
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
