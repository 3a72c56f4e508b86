package plan

import (
	"fmt"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// location is the default path of the root file system of job containers.
//
// https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
const location = `C:\hpc`

// Root is the root file system of a job container. All other files that the container has are those of the host.
type Root struct {
	Layers Layers
	// Path is its path in the container, without a backslash at its end. In a silo it is the location, the same in every
	// container. Otherwise it is a directory below the location, named after the container.
	Path string

	location string // of the annotation, before links are followed
}

// planRoot plans the root file system if the container has layers.
func (j *HostProcess) planRoot(id string, s *specs.Spec, rootfs []specs.Mount) error {
	named := s.Root != nil && s.Root.Path != ""
	if len(rootfs) == 0 && len(s.Windows.LayerFolders) == 0 && !named {
		if s.Root != nil && s.Root.Readonly {
			return j.unsupported("root.readonly", "the host's own files are writable")
		}
		return nil
	}
	var layers Layers
	var err error
	if len(rootfs) == 0 && len(s.Windows.LayerFolders) == 0 { // the caller has mounted them
		layers.Kind = WindowsLayer
		err = layers.planVolume(s.Root)
	} else {
		layers, err = planLayers(s, rootfs)
	}
	if err != nil {
		return err
	}
	if err := layers.resolve(j.host); err != nil {
		return err
	}
	at, err := rootLocation(s.Annotations)
	if err != nil {
		return err
	}
	real, err := j.host.resolveNearest(at)
	if err != nil {
		return fmt.Errorf("annotation %s: %w", annotations.HostProcessRootfsLocation, err)
	}
	if !hasDrive(real) { // a working directory needs a drive
		real = at
	}
	j.Root = &Root{Layers: layers, Path: real, location: at}
	if !j.host.binds() {
		j.Root.Path = join(real, id)
	}
	return nil
}

func rootLocation(notes map[string]string) (string, error) {
	const field = "annotation " + annotations.HostProcessRootfsLocation
	value, set := notes[annotations.HostProcessRootfsLocation]
	if !set {
		return location, nil
	}
	at := strings.TrimRight(backslashes(value), `\`)
	switch {
	case !hasDrive(at) || !isAbs(at) || !isPlain(at):
		return "", fmt.Errorf("%s: it is not a directory such as %s: %w", field, location, errdefs.ErrInvalidArgument)
	default:
		return at, checkText(field, at)
	}
}

// rootPath is "" without a root file system.
func (j *HostProcess) rootPath() string {
	if j.Root == nil {
		return ""
	}
	return j.Root.Path
}

// places lists where an absolute path of the container may be: first on the host, then below the root file system. A path
// below the root file system, by its path or its location, is there first or only there.
func (r *Root) places(path string) []string {
	if r == nil {
		return []string{path}
	}
	if _, own := Beneath(r.Path, path); own {
		return []string{path}
	}
	if rest, ok := Beneath(r.location, path); ok {
		return []string{r.Path + rest, path}
	}
	if !hasDrive(path) {
		return []string{path}
	}
	return []string{path, join(r.Path, path[2:])}
}
