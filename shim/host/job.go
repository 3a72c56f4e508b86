package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/shim"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
	"github.com/siloshim/siloshim/stats"
)

// JobName is the name of the job object of a container. The namespace is in it because two namespaces may use one id.
func JobName(namespace, id string) string { return `Global\silo/` + namespace + "/" + id }

// Job is a job container. All methods are safe for concurrent use.
type Job struct {
	// Immutable after newJob.
	id        string
	bundle    string
	job       *jobobject.Job
	token     Token
	root      *root
	collector *stats.Collector
	missing   sync.Once // guards the one log of what the kernel refuses
	plan      *spec.Job
	hold      *hold
	notices   notices

	// updating is held over an update, the kernel's calls included: two must not mix. It guards the field below.
	updating  semaphore
	requested spec.Requested // by the specification and the updates so far

	// closing lets one Close at a time work, and guards the field below.
	closing sync.Mutex
	undo    undo

	// mu guards the fields below.
	mu     sync.Mutex
	ended  bool        // no program may start any more
	limits spec.Limits // in force; who updates them has updating, too
}

var (
	_ shim.Container = (*Job)(nil)
	_ shim.Noticer   = (*Job)(nil)
	_ shim.Updater   = (*Job)(nil)
	_ task.Pauser    = (*Job)(nil)
)

func newJob(ctx context.Context, h Host, namespace, id, bundle string, plan *spec.Job) (*Job, error) {
	warn(id, plan.Warnings)
	job, err := jobobject.Create(jobobject.Options{
		Name: JobName(namespace, id), KillOnClose: true, TrackIO: true, Kernel: h.Kernel,
	})
	if err != nil {
		return nil, classify(err)
	}
	j := &Job{
		id: id, bundle: bundle, job: job, token: ownToken(), plan: plan, limits: plan.Limits, requested: plan.Requested,
		hold: newHold(job, h.Suspend), updating: newSemaphore(),
		collector: stats.NewCollector(job, stats.Options{KeepHandles: true, BusyAfter: busyAfter, Limits: statsLimits(plan.Limits)}),
	}
	if err := j.make(ctx, h, Account{accountName(namespace, id), accountComment + namespace + "/" + id}); err != nil {
		return nil, errors.Join(classify(err), j.Close())
	}
	return j, nil
}

// make makes what the job needs beside itself: limits, its user and its files. What it has made is in j.undo when it
// fails. A silo is made before the limits are set: that is the order which is known to work, since the reference shim
// keeps it.
func (j *Job) make(ctx context.Context, h Host, account Account) error {
	if j.plan.Silo {
		if err := j.job.PromoteToSilo(); err != nil {
			return err
		}
	}
	if err := j.job.SetLimits(jobLimits(j.plan.Limits)); err != nil {
		return err
	}
	group, groupErr := groupOf(h.Accounts, j.plan)
	l := &ledger{Job: true}
	if group != "" {
		l.Account = account.Name
	}
	if root := j.plan.Root; root != nil {
		l.Layers = &root.Layers
		if !j.plan.Silo {
			l.Mount = root.Path
		}
	}
	if group != "" || j.plan.Root != nil {
		if err := l.write(j.bundle); err != nil {
			return err
		}
	}
	user, err := logon(h.Accounts, j.plan, account, group, groupErr, &j.undo)
	if err != nil {
		return err
	}
	j.token = user
	j.undo.push("log off", user.Close)
	record := func(kept []string) error {
		l.Kept = kept
		return l.write(j.bundle)
	}
	j.root, err = makeRoot(ctx, h, j.job, j.id, j.plan, record, &j.undo)
	return err
}

// Program prepares a program that will start inside the job.
func (j *Job) Program(p *spec.Process, streams *stdio.Relay) task.Program {
	return &program{job: j, spec: p, streams: streams}
}

// start launches a program in the job unless the container has ended. The end may come while it is launched, after the
// job was emptied: nobody would end the program then, so it is ended here. A pause may come as well.
func (j *Job) start(o jobobject.ProcessOptions) (*jobobject.Process, error) {
	if j.hasEnded() {
		return nil, errEnded
	}
	o.Token = j.token.Handle()
	p, err := j.job.Start(o)
	if err != nil {
		return nil, err
	}
	if j.hasEnded() {
		return nil, errors.Join(errEnded, p.Terminate(task.Killed), p.Close())
	}
	if err := j.hold.catch(); err != nil {
		return nil, errors.Join(fmt.Errorf("stop it in a paused container: %w", err), p.Terminate(task.Killed), p.Close())
	}
	return p, nil
}

var errEnded = fmt.Errorf("the container has ended: %w", errdefs.ErrFailedPrecondition)

func (j *Job) hasEnded() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ended
}

// Pids lists the members of the job.
func (j *Job) Pids() ([]uint32, error) {
	pids, err := j.job.Pids()
	return pids, classify(err)
}

// Processes lists the members of the job with what the kernel tells of each.
func (j *Job) Processes(ctx context.Context) ([]stats.Process, error) {
	list, err := j.collector.Processes(ctx)
	return list, classify(err)
}

// Terminate ends every member and returns once the job is empty.
func (j *Job) Terminate(ctx context.Context, status uint32) error {
	j.mu.Lock()
	j.ended = true
	j.mu.Unlock()
	j.collector.Release()
	if err := j.job.Terminate(status); err != nil {
		if errors.Is(err, jobobject.ErrClosed) {
			return nil
		}
		return classify(err)
	}
	return classify(j.job.WaitEmpty(ctx))
}

// Stats samples the job. What the kernel refuses is named in the log once.
func (j *Job) Stats(ctx context.Context, started time.Time) (stats.Sample, error) {
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
	return sample, classify(err)
}

// Close gives the job back, and everything that the container has of the machine; members that are left end with it. It
// tries whatever it can, and may be called again for the rest.
func (j *Job) Close() error {
	j.collector.Release()
	err := errors.Join(j.job.Close(), j.hold.close())
	j.closing.Lock()
	defer j.closing.Unlock()
	if err := errors.Join(err, j.undo.run(context.Background())); err != nil {
		return classify(err)
	}
	return removeLedger(j.bundle)
}

// cleanupJob ends what a dead shim left of a container and returns once its job is gone. A container that is gone
// already is a success: the kernel ends a job's members when the last handle closes.
func (h Host) cleanupJob(ctx context.Context, namespace, id string) error {
	job, err := jobobject.Open(JobName(namespace, id), jobobject.AccessQuery|jobobject.AccessTerminate, h.Kernel)
	if errors.Is(err, jobobject.ErrNotExist) {
		return nil
	}
	if err != nil {
		return classify(err)
	}
	if err = job.Terminate(task.Killed); err == nil {
		err = job.WaitEmpty(ctx)
	}
	return classify(errors.Join(err, job.Close()))
}
