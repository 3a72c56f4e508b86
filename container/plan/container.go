package plan

import (
	"fmt"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Request describes a container of containerd.
type Request struct {
	ID string
	// Bundle is the directory with config.json.
	Bundle string
	// Rootfs are the mounts of the root file system.
	Rootfs []specs.Mount
	// Terminal takes precedence over the specification.
	Terminal bool
	// Defaults are annotations that apply where the specification has none of that key.
	Defaults map[string]string
	// Join is called once, when the specification has been read and nothing is planned yet. It returns what a pod has for the
	// container.
	Join func(Member) (Additions, error)
}

// Member is a container as its pod sees it.
type Member struct {
	ID, Bundle  string
	Role        Role
	Sandbox     string // the id of the pod's sandbox
	HostProcess bool   // whether it is a job container
	Annotations map[string]string
}

// Additions are what a pod has for its containers.
type Additions struct {
	// Annotations are those of the sandbox. Some of them apply to a job container that has none of that key.
	Annotations map[string]string
	// Network is the network namespace, or "". A container that names another one is an error.
	Network string
}

// Container is the plan of a container of any kind. If both fields are nil it is a sandbox without a process.
type Container struct {
	HostProcess *HostProcess // of a job container
	WCOW        *WCOW        // of a Windows Server container
	Init        *Process     // the init process
	Stop        Stop
}

// Placeholder is the plan of a sandbox without a process.
func Placeholder() *Container { return &Container{Init: &Process{}} }

// Container reads the specification in the bundle and plans the container. Errors are those of [Load], of Join and of
// [Machine.HostProcess].
func (h Machine) Container(r Request) (*Container, error) {
	if err := ValidID(r.ID); err != nil {
		return nil, err
	}
	s, err := Load(r.Bundle)
	if err != nil {
		return nil, err
	}
	if s.Annotations == nil {
		s.Annotations = map[string]string{}
	}
	addMissing(s.Annotations, r.Defaults)
	c := Placeholder()
	if c.Stop, err = newStop(s.Annotations); err != nil {
		return nil, err
	}
	if err := r.joinPod(s); err != nil {
		return nil, err
	}
	switch {
	case isPlaceholder(s):
		return c, checkHostProcess(s)
	case IsHostProcess(s):
		if c.HostProcess, err = h.HostProcess(r.ID, s, r.Rootfs); err != nil {
			return nil, err
		}
		c.Init, c.HostProcess.Pod = &c.HostProcess.Process, podOf(s.Annotations)
	default:
		if c.WCOW, err = h.WCOW(r.ID, s, r.Rootfs); err != nil {
			return nil, err
		}
		c.Init, c.WCOW.Pod = &c.WCOW.Process, podOf(s.Annotations)
	}
	c.Init.Terminal = r.Terminal
	return c, nil
}

// joinPod completes the specification of a container that may be in a pod.
func (r Request) joinPod(s *specs.Spec) error {
	role, sandbox, err := RoleOf(r.ID, s.Annotations)
	if err != nil {
		return err
	}
	if role == Sandbox {
		keepRunning(s)
	}
	more, err := r.Join(Member{r.ID, r.Bundle, role, sandbox, IsHostProcess(s), s.Annotations})
	if err != nil {
		return err
	}
	inherit(s, more.Annotations)
	return joinNetwork(s, more.Network)
}

// addMissing adds the annotations whose keys all lacks.
func addMissing(all, more map[string]string) {
	for key, value := range more {
		if _, set := all[key]; !set {
			all[key] = value
		}
	}
}

// Exec plans another process in the container. In a sandbox without a process it is [errdefs.ErrNotImplemented].
func (c *Container) Exec(p *specs.Process) (*Process, error) {
	switch {
	case c.HostProcess != nil:
		return c.HostProcess.Exec(p)
	case c.WCOW != nil:
		return c.WCOW.Exec(p)
	}
	return nil, fmt.Errorf("the sandbox has no process that another could join: "+
		"run it in one of the pod's containers: %w", errdefs.ErrNotImplemented)
}
