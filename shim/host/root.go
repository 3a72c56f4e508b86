package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/shim/spec"
)

// root is what a job container has of files of its own: mounted layers, and what else it is shown. In a silo they are
// where the plan says for its members alone; everybody else, who starts them included, knows them by other paths.
type root struct {
	// Immutable after makeRoot.
	files  Files
	plan   *spec.Job
	volume string // of the layers, with a backslash at its end; "" without any
	record func(kept []string) error

	// mu guards the fields below, and is held while directories are kept: two must not list the same.
	mu    sync.Mutex
	kept  []keptDir // those above others come first
	ended bool      // they have been given back
}

// keptDir is a directory that is on the host because the path of a container needs it there.
type keptDir struct {
	path string
	io.Closer
}

// makeRoot mounts what a plan wants and shows it to the job. What is to be given back is on u when it fails.
func makeRoot(ctx context.Context, h Host, job *jobobject.Job, id string, plan *spec.Job, record func([]string) error, u *undo) (*root, error) {
	r := &root{files: h.Files, plan: plan, record: record}
	if plan.Root != nil {
		mounted, err := mountLayers(ctx, h.Storage, id, plan.Root.Layers, u)
		if err != nil {
			return nil, err
		}
		r.volume = strings.TrimRight(mounted.Path, `\`) + `\`
	}
	u.push("give back the kept directories", r.unkeep)
	if plan.Silo {
		return r, r.show(job, id)
	}
	if plan.Root != nil {
		return r, r.mount(u)
	}
	return r, nil
}

// mount shows the layers to everybody, in a directory that only this container has. Links in it stand for mounts.
func (r *root) mount(u *undo) error {
	at := r.plan.Root.Path
	if err := r.keep(parent(at)); err != nil {
		return err
	}
	u.push("unmount "+at, func() error { return r.files.Unmount(at) })
	if err := r.files.Mount(r.volume, at); err != nil {
		return fmt.Errorf("mount the root file system: %w", err)
	}
	for _, m := range r.plan.Mounts {
		if err := r.files.Link(at, m.Destination[len(at):], m.Source); err != nil {
			return fmt.Errorf("mount %s: %w", m.Destination, err)
		}
	}
	return nil
}

// show shows layers and mounts to the members of a silo. That ends with the silo.
func (r *root) show(job *jobobject.Job, id string) error {
	if r.volume != "" {
		at := r.plan.Root.Path
		if err := r.keep(at); err != nil {
			return err
		}
		if err := job.Bind(jobobject.Mapping{Root: at, Target: r.volume}); err != nil {
			return err
		}
	}
	for _, m := range r.plan.Mounts {
		if m.Destination != "" {
			if err := r.keep(parent(m.Destination)); err != nil {
				return err
			}
			if err := job.Bind(jobobject.Mapping{Root: m.Destination, Target: m.Source, ReadOnly: m.ReadOnly}); err != nil {
				return err
			}
		}
		if m.Link == "" {
			continue
		}
		if err := r.files.Link(r.volume, m.Link[len(r.plan.Root.Path):], m.Source); err != nil {
			log.L.WithField(logfield.ContainerID, id).WithError(err).Warnf("%s is not at %s as well", m.Source, m.Link)
		}
	}
	return nil
}

// locate finds the program and the working directory of a process: the one as the host knows it, for the kernel opens
// it as the shim, the other as the container does. The kernel wants that to be there for the shim, too.
func (r *root) locate(p *spec.Process) (application, dir string, err error) {
	if p.Search == nil {
		return p.Application, p.Dir, nil
	}
	if application, dir, err = p.Search.In(view{r}); err != nil {
		return "", "", err
	}
	if r.plan.Silo && !r.files.IsDir(dir) {
		if err := r.keep(dir); err != nil {
			return "", "", fmt.Errorf("process.cwd: %w", err)
		}
	}
	return r.real(application), dir, nil
}

// view is what the container sees.
type view struct{ *root }

func (v view) IsFile(path string) bool   { return v.files.IsFile(v.real(path)) }
func (v view) IsDir(path string) bool    { return v.files.IsDir(v.real(path)) }
func (v view) MakeDir(path string) error { return v.files.MakeDir(v.real(path)) }

// real is the host's path for one of the container's.
func (r *root) real(path string) string {
	if !r.plan.Silo {
		return path
	}
	shown := r.plan.Mounts
	if r.volume != "" {
		shown = append([]spec.Mount{{Source: r.volume, Destination: r.plan.Root.Path}}, shown...)
	}
	real, deepest := path, 0
	for _, m := range shown {
		if m.Destination == "" {
			continue
		}
		if rest, ok := spec.Beneath(m.Destination, path); ok && len(m.Destination) > deepest {
			deepest = len(m.Destination)
			real = strings.TrimRight(m.Source, `\`) + rest
			if rest == "" {
				real = m.Source
			}
		}
	}
	return real
}

// parent is the directory that a path is in.
func parent(path string) string {
	path = strings.TrimRight(path, `\`)
	return path[:max(strings.LastIndexByte(path, '\\'), 0)]
}

// keep makes sure that a directory is on the host as long as the container is. What it makes for that is on the
// record before.
func (r *root) keep(dir string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(dir) <= len(`C:`): // a drive
		return nil
	case r.ended:
		return errEnded
	}
	list, err := r.files.Kept(dir)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(path string) bool {
		return slices.ContainsFunc(r.kept, func(k keptDir) bool { return strings.EqualFold(k.path, path) })
	})
	if len(list) == 0 {
		return nil
	}
	var all []string
	for _, k := range r.kept {
		all = append(all, k.path)
	}
	if err := r.record(append(all, list...)); err != nil {
		return err
	}
	for _, path := range list {
		c, err := r.files.Keep(path)
		if err != nil {
			return fmt.Errorf("keep directory %s: %w", path, err)
		}
		r.kept = append(r.kept, keptDir{path, c})
	}
	return nil
}

// unkeep gives back the directories, the deepest first. It may be called again for the rest.
func (r *root) unkeep() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	var errs []error
	var left []keptDir
	for _, k := range slices.Backward(r.kept) {
		if k.Closer != nil {
			errs = append(errs, k.Close())
			k.Closer = nil
		}
		if err := r.files.Unkeep(k.path); err != nil {
			errs = append(errs, err)
			left = append([]keptDir{k}, left...)
		}
	}
	r.kept = left
	return errors.Join(errs...)
}
