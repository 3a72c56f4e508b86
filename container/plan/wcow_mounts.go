package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/schema"
)

// machinePrefixes begin sources that only a virtual machine has.
var machinePrefixes = []string{"sandbox://", "sandbox-tmp://", "uvm://", "hugepages://"}

// machineTypes are mounts of disks into a virtual machine.
var machineTypes = []string{"physical-disk", "virtual-disk", "automanage-virtual-disk", "extensible-virtual-disk"}

func (v *WCOW) planMounts(s *specs.Spec) error {
	seen := map[string]bool{}
	for i, m := range s.Mounts {
		field := fmt.Sprintf("mounts[%d]", i)
		for _, prefix := range machinePrefixes {
			if strings.HasPrefix(m.Source, prefix) {
				return fmt.Errorf("%s.source begins with %s: only virtual machines have that: %w", field, prefix, errdefs.ErrNotImplemented)
			}
		}
		if slices.Contains(machineTypes, m.Type) {
			return fmt.Errorf("%s.type %s: only virtual machines have that: %w", field, m.Type, errdefs.ErrNotImplemented)
		}
		if err := cmp.Or(checkText(field+".source", m.Source), checkText(field+".destination", m.Destination)); err != nil {
			return err
		}
		dst := destination(m.Destination)
		to := strings.ToLower(dst)
		if seen[to] {
			return fmt.Errorf("%s.destination is the target of an earlier mount; keep one: %w", field, errdefs.ErrInvalidArgument)
		}
		seen[to] = true
		if err := v.mount(field, trimmed(backslashes(m.Source)), dst, m.Options); err != nil {
			return err
		}
	}
	return nil
}

// destination is a path in the container without a backslash at its end: the service takes the drive D: but not D:\. As
// in containerd's CRI, a path without a drive is on the system drive.
func destination(path string) string {
	path = strings.TrimRight(backslashes(path), `\`)
	if strings.HasPrefix(path, `\`) && !strings.HasPrefix(path, `\\`) {
		return "C:" + path
	}
	return path
}

// mount maps a pipe to a pipe, or a directory or file to a path.
func (v *WCOW) mount(field, src, dst string, options []string) error {
	ro, err := readOnly(field, options)
	if err != nil {
		return err
	}
	c := v.Document.Container
	from, to := isPipe(src), isPipe(dst)
	switch {
	case from != to:
		return fmt.Errorf("%s: one side is a named pipe and the other is not: %w", field, errdefs.ErrInvalidArgument)
	case from && ro:
		return fmt.Errorf("%s: a named pipe cannot be read-only: %w", field, errdefs.ErrInvalidArgument)
	case from:
		c.MappedPipes = append(c.MappedPipes, schema.MappedPipe{HostPath: src, ContainerPipeName: dst[len(pipePrefix):]})
		return nil
	case strings.EqualFold(dst, "C:"):
		return fmt.Errorf("%s.destination is the container's system drive; name a directory on it, or another drive: %w", field, errdefs.ErrInvalidArgument)
	case !isDrive(dst) && !isAbs(dst) || isDevice(dst):
		return fmt.Errorf("%s.destination: it is not an absolute Windows path such as C:\\dir: %w", field, errdefs.ErrInvalidArgument)
	case !isAbs(src):
		return fmt.Errorf("%s.source: it is not an absolute Windows path such as C:\\dir: %w", field, errdefs.ErrInvalidArgument)
	}
	// The service does not follow links.
	if src, err = v.host.Resolve(src); err != nil {
		return fmt.Errorf("%s.source: %w: %w", field, err, errdefs.ErrNotFound)
	}
	c.MappedDirectories = append(c.MappedDirectories, schema.MappedDirectory{HostPath: src, ContainerPath: dst, ReadOnly: ro})
	return nil
}

// readOnly reads the options, in any case. Those of other systems about propagation and binding have no effect.
func readOnly(field string, options []string) (bool, error) {
	has := func(option string) bool {
		return slices.ContainsFunc(options, func(o string) bool { return strings.EqualFold(o, option) })
	}
	ro, rw := has("ro"), has("rw")
	if ro && rw {
		return false, fmt.Errorf("%s.options has ro and rw; keep one: %w", field, errdefs.ErrInvalidArgument)
	}
	return ro, nil
}
