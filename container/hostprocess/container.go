// Package hostprocess makes job containers, which Kubernetes calls HostProcess containers: a program and its descendants
// in one job object. The process that made the container has the only handle of the job. When it closes, the kernel ends
// all members. A job container has the files of the host, and it can have a root file system, mounts and an account.
//
// The functions of Windows are behind [Files] and [Accounts]. Package containertest simulates them.
package hostprocess

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/internal/deadline"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// JobName is the name of the job object of a container. It contains the namespace because ids are unique only there.
func JobName(namespace, id string) string { return `Global\silo/` + namespace + "/" + id }

// Config is the configuration of a container.
type Config struct {
	Namespace, ID, Bundle string
	Plan                  *plan.HostProcess
	Pods                  podinfo.Store // gets the pod of the plan

	// Job is an existing job to use, or nil. Its limits stay as its maker has set them, so Update returns
	// [container.ErrUnsupported]. Processes remain in the jobs of this process, under the limits of those, too.
	Job *jobobject.Job
	// Token is the user of all processes, or nil for the one that the plan names.
	Token Token

	Kernel   jobobject.Kernel // nil is the system's
	Storage  layer.Storage
	Files    Files
	Accounts Accounts
	// Suspend suspends all threads of a process. The caller calls resume once. It is used if the kernel cannot freeze a
	// job; nil is that of this machine.
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
	missing   sync.Once // guards the one log record about missing metrics
	plan      *plan.HostProcess
	pauser    *pauser
	notices   notices
	adopted   bool // the job is that of [Config]

	// updating is held during an update, including the calls into the kernel. It guards the field below.
	updating  deadline.Mutex
	requested plan.Requested // by the specification and the updates so far

	// mu guards the fields below.
	mu      sync.Mutex
	ended   bool               // no process can start any more
	limits  jobobject.Limits   // in force; written only while updating is locked
	init    *jobobject.Process // nil before its start
	console *jobobject.Process // init, whose console the others share, or nil if it has a terminal
}

var _ container.Container = (*Container)(nil)

// New makes a job container without a process. It records the resources in the bundle before it makes them. If it fails it
// releases them. Close closes the job and the token of c; so does New if it fails.
func New(ctx context.Context, c Config) (*Container, error) {
	container.LogWarnings(c.ID, c.Plan.Warnings)
	record := resource.New(c.Bundle, c.Releases)
	job := c.Job
	if job == nil {
		// The pod comes first: who finds the job then finds the pod as well.
		container.PublishPod(c.Pods, record, c.ID, podinfo.Key(c.Namespace, c.ID), c.Plan.Pod)
		var err error
		if job, err = jobobject.Create(jobobject.Options{
			Name: JobName(c.Namespace, c.ID), KillOnClose: true, TrackIO: true, Kernel: c.Kernel,
		}); err != nil {
			return nil, errors.Join(errclass.Add(err), record.Close(context.WithoutCancel(ctx)))
		}
	}
	j := &Container{
		id: c.ID, job: job, record: record, token: ownToken(),
		plan: c.Plan, limits: c.Plan.Limits, requested: c.Plan.Requested, adopted: c.Job != nil,
		pauser: newPauser(job, c.Suspend), updating: deadline.NewMutex(),
		collector: stats.NewCollector(job, stats.Options{KeepHandles: true, BusyAfter: container.BusyAfter}),
	}
	if err := j.make(ctx, c); err != nil {
		return nil, errors.Join(errclass.Add(err), j.Close())
	}
	return j, nil
}

// make sets the limits of the job and makes its user and its root file system. If it fails, the record has what was made.
// The job becomes a silo before its limits are set, as in hcsshim; no other order is known to work.
func (j *Container) make(ctx context.Context, c Config) error {
	if c.Token != nil {
		if err := j.holdToken(c.Token); err != nil {
			return err
		}
	}
	if j.plan.Silo {
		if err := j.job.PromoteToSilo(); err != nil {
			return err
		}
	}
	if !j.adopted {
		if err := j.job.SetLimits(ctx, jobLimits(j.plan.Limits)); err != nil {
			return err
		}
	}
	j.collector.SetLimits(statsLimits(j.job.Limits()))
	if err := j.setUser(c); err != nil {
		return err
	}
	var err error
	j.root, err = makeRoot(ctx, c, j.job, j.record)
	return err
}

// setUser logs the user on, unless c has a token, and reserves what the container will have.
func (j *Container) setUser(c Config) error {
	if c.Token != nil {
		return j.reserve(Account{}, "")
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
	return j.holdToken(user)
}

// holdToken makes a token the container's, to be closed with it.
func (j *Container) holdToken(user Token) error {
	j.token = user
	if err := j.record.Add(resource.Resource{Kind: resource.Logon}, func(context.Context) error { return user.Close() }); err != nil {
		return errors.Join(err, user.Close())
	}
	return nil
}

// reserve records the resources of the container, except directories that are kept for it. A container with the host's
// files and an existing user has none.
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

// Process implements [container.Container].
func (j *Container) Process(p *plan.Process, streams container.Streams) container.Process {
	return &process{container: j, plan: p, streams: streams}
}

// Processes implements [container.Container]: it lists the members of the job.
func (j *Container) Processes(ctx context.Context) ([]stats.Process, error) {
	list, err := j.collector.Processes(ctx)
	return list, errclass.Add(err)
}

// Terminate implements [container.Container].
func (j *Container) Terminate(ctx context.Context, status uint32) error {
	j.mu.Lock()
	j.ended = true
	j.mu.Unlock()
	j.collector.Release()
	return j.TerminateProcesses(ctx, status)
}

// TerminateProcesses ends every member and returns once the job is empty. Another may be started afterwards.
func (j *Container) TerminateProcesses(ctx context.Context, status uint32) error {
	if err := j.job.Terminate(status); err != nil {
		if errors.Is(err, jobobject.ErrClosed) {
			return nil
		}
		return errclass.Add(err)
	}
	return errclass.Add(j.job.WaitEmpty(ctx))
}

// Stats implements [container.Container]. It logs once which metrics the kernel refuses.
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

// terminateTimeout is how long the kernel may take to end all members of a job.
const terminateTimeout = 30 * time.Second

// Close implements [container.Container]: it closes the job, which ends its members, and releases the resources.
func (j *Container) Close() error {
	j.collector.Release()
	return errclass.Add(errors.Join(j.job.Close(), j.pauser.close(), j.record.Close(context.Background())))
}

// Cleanup ends the processes of a container after the process that made it has died, and returns when its job is empty.
// It returns nil if the job does not exist: the kernel ends the members with the last handle.
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
