package plan

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Mount shows a file or a directory of the host to a job container at another path.
type Mount struct {
	Source string
	// Destination is that path, or "" for what is there already and has a Link alone.
	Destination string
	ReadOnly    bool
	// Link is a second path, below the root file system, or "". Hosts without silos have no other, so images name it.
	Link string
}

// planMounts plans what a container is shown. In a silo a mount is at its destination; elsewhere it is a link below
// the root file system, because the host's own files are not to change.
func (j *HostProcess) planMounts(s *specs.Spec) error {
	for i, m := range s.Mounts {
		field := fmt.Sprintf("mounts[%d]", i)
		if err := first(checkText(field+".source", m.Source), checkText(field+".destination", m.Destination)); err != nil {
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

// mount reads one mount. A pipe that is to be seen where it is needs none, so that is nil.
func (j *HostProcess) mount(field string, m specs.Mount) (*Mount, error) {
	src, dst := trimmed(backslashes(m.Source)), j.destination(m)
	ro, err := readOnly(field, m.Options)
	switch {
	case err != nil:
		return nil, err
	case isPipe(src) && strings.EqualFold(src, dst):
		return nil, nil
	case isPipe(src) || isPipe(dst):
		return nil, fmt.Errorf("%s: a job container has the host's named pipes under their own names: "+
			"drop the mount, or give both sides one name: %w", field, errdefs.ErrInvalidArgument)
	case !isAbs(src) || isDevice(src) && !isLong(src):
		return nil, fmt.Errorf("%s.source: it is not an absolute Windows path such as C:\\dir: %w", field, errdefs.ErrInvalidArgument)
	case isDrive(dst): // images can ask for that: VOLUME D:
		return nil, j.lacks(field, "no mount can be a whole drive")
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

// destination is an absolute path: the source's without one, on the system's drive without a drive.
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

// place decides where a mount is shown. What cannot be is refused.
func (j *HostProcess) place(field string, m Mount) error {
	binds := j.host.binds()
	switch {
	case j.Root != nil && j.Root.inner(m.Destination) == "":
		return fmt.Errorf("%s.destination is the root file system itself: name a path below it: %w", field, errdefs.ErrInvalidArgument)
	case binds:
	case j.Root == nil:
		return j.lacks(field, "this Windows has no bind filter, and the container no root file system")
	default:
		if m.ReadOnly {
			// Kubernetes asks for that in every pod, and the container may write to the source at its own place anyway.
			j.Warnings = append(j.Warnings, field+": this Windows has no bind filter: the mount is not read-only")
			m.ReadOnly = false
		}
		m.Destination = j.Root.Path + j.Root.inner(m.Destination)
	}
	for _, other := range j.Mounts {
		switch {
		case strings.EqualFold(other.Destination, m.Destination):
			return fmt.Errorf("%s.destination is the target of an earlier mount: keep one: %w", field, errdefs.ErrInvalidArgument)
		case !binds && crossing(other.Destination, m.Destination):
			return j.lacks(field, "this Windows has no bind filter, so no mount can be within another; left out")
		}
	}
	j.Silo = j.Silo || binds
	j.Mounts = append(j.Mounts, m)
	return nil
}

// inner is the part of a destination that is below the root file system: all but the drive of one that is elsewhere.
func (r *Root) inner(destination string) string {
	for _, root := range []string{r.Path, r.location} {
		if rest, ok := Beneath(root, destination); ok {
			return rest
		}
	}
	return destination[2:]
}

// link is the second path of a mount in a silo, where nothing else is. A read-only mount has none: it would be a way
// around.
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

// crossing tells whether one of two paths is at or below the other.
func crossing(a, b string) bool {
	_, below := Beneath(a, b)
	_, above := Beneath(b, a)
	return below || above
}
