package spec

import (
	"fmt"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// BestEffort is the annotation that, when "true", turns what a job container cannot do into a warning.
const BestEffort = "io.siloshim.best-effort"

// Job is the plan of a job container.
type Job struct {
	// Rootfs is the root file system, as an absolute path without a backslash at its end, or "" when the
	// job works on the host's own files.
	Rootfs string
	Limits Limits
	// Process is the init process.
	Process Process
	// InheritUser runs every process as the shim's own user.
	InheritUser bool
	Compromise

	host Host
}

// Job plans a job container. A kind of container, or a wish, that is not implemented is
// [errdefs.ErrNotImplemented] and names the field; a value that makes no sense is [errdefs.ErrInvalidArgument]; a
// program that does not exist is [errdefs.ErrNotFound].
func (h Host) Job(s *specs.Spec) (*Job, error) {
	if err := isJob(s); err != nil {
		return nil, err
	}
	j := &Job{
		host:        h.withDefaults(),
		Compromise:  Compromise{bestEffort: s.Annotations[BestEffort] == "true"},
		InheritUser: s.Annotations[annotations.HostProcessInheritUser] == "true",
	}
	for _, plan := range []func(*specs.Spec) error{j.planRoot, j.planMounts, j.planCredentials, j.planLimits, j.planInit} {
		if err := plan(s); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// IsJob tells whether a spec asks for a job container, and not for a Windows Server container.
func IsJob(s *specs.Spec) bool { return s.Annotations[annotations.HostProcessContainer] == "true" }

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
func isJob(s *specs.Spec) error {
	if err := isWindows(s); err != nil {
		return err
	}
	switch {
	case !IsJob(s):
		return fmt.Errorf("annotation %s is not \"true\": this is no job container: %w", annotations.HostProcessContainer, errdefs.ErrInvalidArgument)
	case s.Annotations[annotations.DisableHostProcessContainer] == "true", s.Annotations[annotations.DisableUnsafeOperations] == "true":
		return fmt.Errorf("annotation %s forbids job containers: %w", annotations.DisableHostProcessContainer, errdefs.ErrPermissionDenied)
	}
	return nil
}

func (j *Job) planRoot(s *specs.Spec) error {
	switch {
	case s.Root == nil || s.Root.Path == "":
		return nil
	case !isAbs(s.Root.Path):
		return fmt.Errorf("root.path: it is not an absolute Windows path: %w", errdefs.ErrInvalidArgument)
	case !j.host.Rootfs:
		return j.lacks("root.path", "root file systems are not implemented yet: leave it empty to run on the host's own files")
	}
	j.Rootfs = strings.TrimRight(backslashes(s.Root.Path), `\`)
	if s.Root.Readonly {
		return j.lacks("root.readonly", "the root file system of a job container is writable")
	}
	return nil
}

// planMounts refuses mounts: they need a bind filter. A mount of a path onto itself is there already.
func (j *Job) planMounts(s *specs.Spec) error {
	for i, m := range s.Mounts {
		field := fmt.Sprintf("mounts[%d]", i)
		src, dst := backslashes(m.Source), backslashes(m.Destination)
		if strings.EqualFold(src, dst) && isAbs(src) {
			continue
		}
		if strings.HasPrefix(strings.ToLower(src), `\\.\pipe\`) {
			return fmt.Errorf("%s: a job container sees the host's named pipes under their own names: drop the mount: %w", field, errdefs.ErrInvalidArgument)
		}
		if err := j.lacks(field, "mounts are not implemented yet"); err != nil {
			return err
		}
	}
	return nil
}

func (j *Job) planCredentials(s *specs.Spec) error {
	if s.Windows.CredentialSpec == nil {
		return nil
	}
	return j.lacks("windows.credentialSpec", "group managed service accounts are not implemented")
}

func (j *Job) planInit(s *specs.Spec) error {
	if s.Process == nil {
		return fmt.Errorf("process is missing: say what to run in process.args: %w", errdefs.ErrInvalidArgument)
	}
	if s.Process.User.Username == "" && !j.InheritUser {
		return fmt.Errorf("process.user.username is missing: name a user, or set annotation %s to \"true\": %w",
			annotations.HostProcessInheritUser, errdefs.ErrInvalidArgument)
	}
	j.Process.Username = s.Process.User.Username
	p, err := NewProcess(s.Process, j)
	if err != nil {
		return err
	}
	j.Process = *p
	return nil
}
