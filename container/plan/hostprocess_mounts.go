package plan

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Mount makes a file or a directory of the host available to a job container at another path.
type Mount struct {
	Source string
	// Destination is that path, or "" if the source is at its destination already and only needs Link.
	Destination string
	ReadOnly    bool
	// Link is a second path, below the root file system, or "". Without a silo it is the only one, so images use it.
	Link string
}

// planMounts plans the mounts. In a silo a mount is at its destination. Otherwise it is a link below the root file
// system, because the host's own files must not change.
func (j *HostProcess) planMounts(s *specs.Spec) error {
	for i, m := range s.Mounts {
		field := fmt.Sprintf("mounts[%d]", i)
		if err := cmp.Or(checkText(field+".source", m.Source), checkText(field+".destination", m.Destination)); err != nil {
			return err
		}
		plan, err := j.mount(field, m)
		if err != nil {
			return err
		}
		if plan == nil {
			continue
		}
		if err := j.place(field, *plan); err != nil {
			return err
		}
	}
	for i := range j.Mounts {
		j.Mounts[i].Link = j.link(i)
	}
	for i, m := range j.Mounts {
		if j.Silo && !m.ReadOnly && j.host.same(m.Source, m.Destination) {
			j.Mounts[i].Destination = ""
		}
	}
	return nil
}

// mount reads one mount. It is nil for what needs no mount, such as a pipe under its own name.
func (j *HostProcess) mount(field string, m specs.Mount) (*Mount, error) {
	src, dst := trimmed(backslashes(m.Source)), j.destination(m)
	ro, err := readOnly(field, m.Options)
	switch {
	case err != nil:
		return nil, err
	case isPipe(src) && strings.EqualFold(src, dst):
		return nil, nil
	case isPipe(src) || isPipe(dst):
		return nil, fmt.Errorf("%s: a job container has the host's named pipes under their own names; "+
			"remove the mount, or use one name for source and destination: %w", field, errdefs.ErrInvalidArgument)
	case !isAbs(src) || isDevice(src) && !isLong(src):
		return nil, fmt.Errorf("%s.source: it is not an absolute Windows path such as C:\\dir: %w", field, errdefs.ErrInvalidArgument)
	case isDrive(dst): // an image can have VOLUME D:
		return nil, j.unsupported(field, "a mount cannot be a whole drive")
	case !hasDrive(dst) || !isAbs(dst) || !isPlain(dst):
		return nil, fmt.Errorf("%s.destination: it is not a path such as C:\\dir: %w", field, errdefs.ErrInvalidArgument)
	}
	if src, err = j.host.Resolve(src); err != nil {
		return nil, fmt.Errorf("%s.source: %w: %w", field, err, errdefs.ErrNotFound)
	}
	if j.Root == nil && !ro && j.host.same(src, dst) {
		return nil, nil
	}
	return &Mount{Source: src, Destination: dst, ReadOnly: ro}, nil
}

// destination is an absolute path. It defaults to the source, and its drive to the system drive.
func (j *HostProcess) destination(m specs.Mount) string {
	dst := strings.TrimRight(backslashes(j.substitute(m.Destination)), `\`)
	switch {
	case dst == "" && m.Destination == "":
		return trimmed(backslashes(m.Source))
	case strings.HasPrefix(dst, `\`) && !strings.HasPrefix(dst, `\\`):
		return j.host.Root[:2] + dst
	}
	return dst
}

// place sets the final destination of a mount and adds it. An unsupported destination is an error.
func (j *HostProcess) place(field string, m Mount) error {
	binds := j.host.binds()
	switch {
	case j.Root != nil && j.Root.inner(m.Destination) == "":
		return fmt.Errorf("%s.destination is the root file system itself; name a path below it: %w", field, errdefs.ErrInvalidArgument)
	case binds:
	case j.Root == nil:
		return j.unsupported(field, "this Windows has no bind filter, and the container has no root file system")
	default:
		if m.ReadOnly {
			// Every pod of Kubernetes has such a mount, and the container can write to the source at its own path anyway.
			j.Warnings = append(j.Warnings, field+": this Windows has no bind filter: the mount is not read-only")
			m.ReadOnly = false
		}
		m.Destination = j.Root.Path + j.Root.inner(m.Destination)
	}
	for _, other := range j.Mounts {
		switch {
		case strings.EqualFold(other.Destination, m.Destination):
			return fmt.Errorf("%s.destination is the target of an earlier mount; keep one: %w", field, errdefs.ErrInvalidArgument)
		case !binds && crossing(other.Destination, m.Destination):
			return j.unsupported(field, "this Windows has no bind filter, so a mount cannot be inside another; left out")
		}
	}
	j.Silo = j.Silo || binds
	j.Mounts = append(j.Mounts, m)
	return nil
}

// inner is the path of a destination below the root file system. For a destination elsewhere it is all but the drive.
func (r *Root) inner(destination string) string {
	for _, root := range []string{r.Path, r.location} {
		if rest, ok := Beneath(root, destination); ok {
			return rest
		}
	}
	return destination[2:]
}

// link is the second path of a mount in a silo, unless another mount is there. A read-only mount has none, because the
// link would be writable.
func (j *HostProcess) link(i int) string {
	m := j.Mounts[i]
	if j.Root == nil || !j.Silo || m.ReadOnly {
		return ""
	}
	at := j.Root.Path + j.Root.inner(m.Destination)
	for n, other := range j.Mounts {
		if crossing(other.Destination, at) || n < i && other.Link != "" && crossing(other.Link, at) {
			return ""
		}
	}
	return at
}

// crossing reports whether one of two paths is at or below the other.
func crossing(a, b string) bool {
	_, below := Beneath(a, b)
	_, above := Beneath(b, a)
	return below || above
}
