// Package hostprocess makes job containers, which Kubernetes calls HostProcess containers: a program and all its
// descendants in one job object, which ends its members when its last handle closes. The process that made the container
// holds the only one. A job container works on the host's own files, or has a root file system, mounts and an account of
// its own besides.
//
// The functions of Windows are behind [Files] and [Accounts]; package containertest simulates them.
package hostprocess

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/internal/deadline"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// JobName is the name of the job object of a container. The namespace is in it because two namespaces may use one id.
func JobName(namespace, id string) string { return `Global\silo/` + namespace + "/" + id }

// Config is what a container is made with.
type Config struct {
	Namespace, ID, Bundle string
	Plan                  *plan.HostProcess

	Kernel   jobobject.Kernel // nil is the system's
	Storage  layer.Storage
	Files    Files
	Accounts Accounts
	// Suspend stops every thread of a process and returns what undoes it and must be called once. It is the system's when
	// nil, and is needed where the kernel cannot freeze a job.
	Suspend  func(pid uint32) (resume func() error, err error)
	Releases resource.Table
}

// Container is a job container. All methods are safe for concurrent use.
type Container struct {
	// Immutable after New.
	id        string
	job       *jobobject.Job
	token     Token
	root      *root
	record    *resource.Record
	collector *stats.Collector
	missing   sync.Once // guards the one log of what the kernel refuses
	plan      *plan.HostProcess
	hold      *hold
	notices   notices

	// updating is held over an update, the kernel's calls included: two must not mix. It guards the field below.
	updating  deadline.Mutex
	requested plan.Requested // by the specification and the updates so far

	// mu guards the fields below.
	mu     sync.Mutex
	ended  bool             // no program may start any more
	limits jobobject.Limits // in force; written only while updating is locked
}

var _ container.Container = (*Container)(nil)

// New makes a job container with no process in it. What it will have is written down in its bundle first, should this
// process die. Whatever it made is gone again when it fails.
func New(ctx context.Context, c Config) (*Container, error) {
	container.LogWarnings(c.ID, c.Plan.Warnings)
	job, err := jobobject.Create(jobobject.Options{
		Name: JobName(c.Namespace, c.ID), KillOnClose: true, TrackIO: true, Kernel: c.Kernel,
	})
	if err != nil {
		return nil, errclass.Add(err)
	}
	j := &Container{
		id: c.ID, job: job, record: resource.New(c.Bundle, c.Releases), token: ownToken(),
		plan: c.Plan, limits: c.Plan.Limits, requested: c.Plan.Requested,
		hold: newHold(job, c.Suspend), updating: deadline.NewMutex(),
		collector: stats.NewCollector(job, stats.Options{KeepHandles: true, BusyAfter: container.BusyAfter, Limits: statsLimits(c.Plan.Limits)}),
	}
	if err := j.make(ctx, c); err != nil {
		return nil, errors.Join(errclass.Add(err), j.Close())
	}
	return j, nil
}

// make makes what the job needs beside itself: limits, its user and its files. What it has made is on the record when it
// fails. A silo is made before the limits are set: that is the order which is known to work, since the reference shim
// keeps it.
func (j *Container) make(ctx context.Context, c Config) error {
	if j.plan.Silo {
		if err := j.job.PromoteToSilo(); err != nil {
			return err
		}
	}
	if err := j.job.SetLimits(ctx, jobLimits(j.plan.Limits)); err != nil {
		return err
	}
	account := Account{accountName(c.Namespace, c.ID), accountComment + c.Namespace + "/" + c.ID}
	group, groupErr := groupOf(c.Accounts, j.plan)
	if err := j.reserve(account, group); err != nil {
		return err
	}
	user, err := logon(c.Accounts, j.plan, account, group, groupErr, j.record)
	if err != nil {
		return err
	}
	j.token = user
	if err := j.record.Add(resource.Resource{Kind: resource.Logon}, func(context.Context) error { return user.Close() }); err != nil {
		return errors.Join(err, user.Close())
	}
	j.root, err = makeRoot(ctx, c, j.job, j.record)
	return err
}

// reserve writes down what the container will have, but for directories that are kept for it. A container that works on
// the host's own files, as a user who is there already, has nothing.
func (j *Container) reserve(account Account, group string) error {
	var list []resource.Resource
	if group != "" {
		list = append(list, resource.Resource{Kind: resource.Account, Name: account.Name})
	}
	if root := j.plan.Root; root != nil {
		list = append(list, layer.Resources(j.id, root.Layers)...)
		if !j.plan.Silo {
			list = append(list, resource.Resource{Kind: resource.Mount, Path: root.Path})
		}
	}
	if len(list) == 0 {
		return nil
	}
	return j.record.Reserve(list...)
}

// Process implements [container.Container]: it prepares a process that will start inside the job.
func (j *Container) Process(p *plan.Process, streams container.Streams) container.Process {
	return &process{container: j, plan: p, streams: streams}
}

// start launches a program in the job unless the container has ended. The end may come while it is launched, after the
// job was emptied: nobody would end the program then, so it is ended here. A pause may come as well.
func (j *Container) start(o jobobject.ProcessOptions) (*jobobject.Process, error) {
	if j.hasEnded() {
		return nil, errEnded
	}
	o.Token = j.token.Handle()
	p, err := j.job.Start(o)
	if err != nil {
		return nil, err
	}
	if j.hasEnded() {
		return nil, errors.Join(errEnded, p.Terminate(container.Killed), p.Close())
	}
	if err := j.hold.catch(); err != nil {
		return nil, errors.Join(fmt.Errorf("stop it in a paused container: %w", err), p.Terminate(container.Killed), p.Close())
	}
	return p, nil
}

var errEnded = fmt.Errorf("the container has ended: %w", errdefs.ErrFailedPrecondition)

func (j *Container) hasEnded() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ended
}

// Processes implements [container.Container]: it lists the members of the job with what the kernel tells of each.
func (j *Container) Processes(ctx context.Context) ([]stats.Process, error) {
	list, err := j.collector.Processes(ctx)
	return list, errclass.Add(err)
}

// Terminate ends every member and returns once the job is empty.
func (j *Container) Terminate(ctx context.Context, status uint32) error {
	j.mu.Lock()
	j.ended = true
	j.mu.Unlock()
	j.collector.Release()
	if err := j.job.Terminate(status); err != nil {
		if errors.Is(err, jobobject.ErrClosed) {
			return nil
		}
		return errclass.Add(err)
	}
	return errclass.Add(j.job.WaitEmpty(ctx))
}

// Stats implements [container.Container]. What the kernel refuses is named in the log once.
func (j *Container) Stats(ctx context.Context, started time.Time) (stats.Sample, error) {
	sample, err := j.collector.Sample(ctx, started)
	if sample.Incomplete() {
		j.missing.Do(func() {
			for f, p := range sample.Metrics {
				if p.Err != nil {
					log.L.WithField(logfield.ContainerID, j.id).WithError(p.Err).Debugf("statistics: %s is %s", stats.Metric(f), p.Quality)
				}
			}
		})
	}
	return sample, errclass.Add(err)
}

// TerminateTimeout implements [container.Container].
func (j *Container) TerminateTimeout() time.Duration { return terminateTimeout }

// terminateTimeout is how long the kernel may take to end the members of a job.
const terminateTimeout = 30 * time.Second

// Close gives the job back, and everything that the container has of the machine; members that are left end with it. It
// tries whatever it can, and may be called again for the rest.
func (j *Container) Close() error {
	j.collector.Release()
	return errclass.Add(errors.Join(j.job.Close(), j.hold.close(), j.record.Close(context.Background())))
}

// Cleanup ends what a process that has died left of a container and returns once its job is gone. A container that is
// gone already is a success: the kernel ends a job's members when the last handle closes.
func Cleanup(ctx context.Context, k jobobject.Kernel, namespace, id string) error {
	job, err := jobobject.Open(JobName(namespace, id), jobobject.OpenOptions{
		Access: jobobject.AccessQuery | jobobject.AccessTerminate, Kernel: k,
	})
	if errors.Is(err, jobobject.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errclass.Add(err)
	}
	if err = job.Terminate(container.Killed); err == nil {
		err = job.WaitEmpty(ctx)
	}
	return errclass.Add(errors.Join(err, job.Close()))
}
