package plan

import (
	"fmt"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// location is where job containers have their root file system, unless an annotation names another place.
// https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
const location = `C:\hpc`

// Root is a root file system of a job container's own. The rest of what its programs see is the host's.
type Root struct {
	Layers Layers
	// Path is where programs of the container find it, without a backslash at its end. In a silo that is the
	// location itself, the same in every container; elsewhere it is a directory of the container's below that.
	Path string

	location string
}

// planRoot plans the root file system if there are layers for one.
func (j *HostProcess) planRoot(id string, s *specs.Spec, rootfs []specs.Mount) error {
	named := s.Root != nil && s.Root.Path != ""
	if len(rootfs) == 0 && len(s.Windows.LayerFolders) == 0 && !named {
		if s.Root != nil && s.Root.Readonly {
			return j.lacks("root.readonly", "the host's own files are writable")
		}
		return nil
	}
	var layers Layers
	var err error
	if len(rootfs) == 0 && len(s.Windows.LayerFolders) == 0 { // somebody else has mounted them
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
	if !hasDrive(real) { // a volume without a drive is no place for a working directory
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

// rootPath is "" on the host's own files.
func (j *HostProcess) rootPath() string {
	if j.Root == nil {
		return ""
	}
	return j.Root.Path
}

// places are where an absolute path of the container may be: what the host has at it comes first, then what the
// image has there. The location means the container's own root wherever that is. Nothing below the root is sought
// anywhere else.
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
