package hostprocess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/internal/ownership"
	"github.com/siloshim/siloshim/jobobject"
)

// root has the files of a job container: its layers and mounts. In a silo, only the members of the job have them at the
// paths of the plan. Other processes, such as the one that starts the members, use other paths.
type root struct {
	// Immutable after makeRoot.
	files  Files
	plan   *plan.HostProcess
	volume string // of the layers, with a backslash at its end; "" without layers
	record *resource.Record

	// mu guards the field below. It is held while directories are kept, so that two calls do not record the same one.
	mu   sync.Mutex
	kept []string // directories of the host that exist for a path of the container
}

// makeRoot makes the layers and mounts of a plan. If it fails, the record has what was made.
func makeRoot(ctx context.Context, c Config, job *jobobject.Job, record *resource.Record) (*root, error) {
	planned := c.Plan
	r := &root{files: c.Files, plan: planned, record: record}
	if planned.Root != nil {
		mounted, err := layer.Mount(ctx, c.Storage, c.ID, planned.Root.Layers, record)
		if err != nil {
			return nil, err
		}
		r.volume = strings.TrimRight(mounted.Path, `\`) + `\`
	}
	if planned.Silo {
		return r, r.bind(job, c.ID)
	}
	if planned.Root != nil {
		return r, r.mount()
	}
	return r, nil
}

// mount mounts the layers in a directory of this container, and makes a link for each mount. Every process sees them.
func (r *root) mount() error {
	at := r.plan.Root.Path
	if err := r.keepOwned(parent(at)); err != nil {
		return err
	}
	r.record.Begin(resource.Resource{Kind: resource.Mount, Path: at})
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

// bind binds layers and mounts to paths in the silo. The bindings end with the silo.
func (r *root) bind(job *jobobject.Job, id string) error {
	if r.volume != "" {
		at := r.plan.Root.Path
		if err := r.keepOwned(at); err != nil {
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
			log.L.WithField(logfield.ContainerID, id).WithError(err).Warnf("mount %s at %s as well", m.Source, m.Link)
		}
	}
	return nil
}

// locate finds the program and the working directory of a process with the environment env. application is a path of the
// host, because the kernel opens it for the shim. dir is a path of the container, which must exist on the host as well.
func (r *root) locate(p *plan.Process, env []string) (application, dir string, err error) {
	if p.Search == nil {
		return p.Program, p.Dir, nil
	}
	if application, dir, err = p.Search.In(view{r}, env); err != nil {
		return "", "", err
	}
	if r.plan.Silo && !r.files.IsDir(dir) {
		if err := r.keep(dir); err != nil {
			return "", "", fmt.Errorf("process.cwd: %w", err)
		}
	}
	return r.hostPath(application), dir, nil
}

// view implements [plan.Files] with the paths of the container.
type view struct{ *root }

func (v view) IsFile(path string) bool   { return v.files.IsFile(v.hostPath(path)) }
func (v view) IsDir(path string) bool    { return v.files.IsDir(v.hostPath(path)) }
func (v view) MakeDir(path string) error { return v.files.MakeDir(v.hostPath(path)) }

// hostPath converts a path of the container to one of the host.
func (r *root) hostPath(path string) string {
	if !r.plan.Silo {
		return path
	}
	mounts := r.plan.Mounts
	if r.volume != "" {
		mounts = append([]plan.Mount{{Source: r.volume, Destination: r.plan.Root.Path}}, mounts...)
	}
	host, deepest := path, 0
	for _, m := range mounts {
		if m.Destination == "" {
			continue
		}
		if rest, ok := plan.Beneath(m.Destination, path); ok && len(m.Destination) > deepest {
			deepest = len(m.Destination)
			host = strings.TrimRight(m.Source, `\`) + rest
			if rest == "" {
				host = m.Source
			}
		}
	}
	return host
}

// parent is the directory of a path.
func parent(path string) string {
	path = strings.TrimRight(path, `\`)
	return path[:max(strings.LastIndexByte(path, '\\'), 0)]
}

// keep makes a directory of the host exist while the container does. It records the directories that it makes.
func (r *root) keep(dir string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(dir) <= len(`C:`) { // a drive
		return nil
	}
	list, err := r.files.Kept(dir)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(path string) bool {
		return slices.ContainsFunc(r.kept, func(kept string) bool { return strings.EqualFold(kept, path) })
	})
	if len(list) == 0 {
		return nil
	}
	resources := make([]resource.Resource, len(list))
	for n, path := range list {
		resources[n] = resource.Resource{Kind: resource.Directory, Path: path}
	}
	if err := r.record.Reserve(resources...); err != nil {
		return errclass.Add(err)
	}
	for _, x := range resources {
		if err := r.keepOne(x); err != nil {
			return fmt.Errorf("keep directory %s: %w", x.Path, err)
		}
		r.kept = append(r.kept, x.Path)
	}
	return nil
}

// keepOwned keeps a directory for the layers. Every user may make directories in the root of a drive, and could replace
// the programs below one that it has made. So the owners are checked, again after another user could have been faster.
func (r *root) keepOwned(dir string) error {
	for _, step := range []func(string) error{r.files.CheckOwner, r.keep, r.files.CheckOwner} {
		err := step(dir)
		if errors.Is(err, ownership.ErrForeign) {
			err = fmt.Errorf("root file system: %w: %w", err, errdefs.ErrFailedPrecondition)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepOne keeps a directory until the container is closed.
func (r *root) keepOne(x resource.Resource) error {
	keeper, err := r.files.Keep(x.Path)
	if err != nil {
		return err
	}
	var once sync.Once
	release := func(context.Context) (err error) {
		once.Do(func() { err = keeper.Close() })
		return errors.Join(err, Unkeep(r.files, x.Path))
	}
	if err := r.record.Add(x, release); err != nil {
		return errors.Join(errclass.Add(err), release(context.Background()))
	}
	return nil
}
