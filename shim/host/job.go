package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"google.golang.org/protobuf/proto"

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
	job       *jobobject.Job
	token     token
	collector *stats.Collector
	missing   sync.Once // guards the one log of what the kernel refuses
	plan      *spec.Job
	hold      *hold
	notices   notices

	// updating is held over an update, the kernel's calls included: two must not mix. It guards the field below.
	updating sync.Mutex
	limits   spec.Limits // in force

	// mu guards the field below.
	mu    sync.Mutex
	ended bool // no program may start any more
}

var (
	_ shim.Container = (*Job)(nil)
	_ shim.Noticer   = (*Job)(nil)
	_ shim.Updater   = (*Job)(nil)
	_ task.Pauser    = (*Job)(nil)
)

func newJob(h Host, namespace, id string, plan *spec.Job) (*Job, error) {
	for _, warning := range plan.Warnings {
		log.L.WithField(logfield.ContainerID, id).Warn(warning)
	}
	user, err := logon(plan)
	if err != nil {
		return nil, err
	}
	job, err := jobobject.Create(jobobject.Options{
		Name: JobName(namespace, id), KillOnClose: true, TrackIO: true, Kernel: h.Kernel,
	})
	if err != nil {
		return nil, errors.Join(classify(err), user.Close())
	}
	if err := job.SetLimits(jobLimits(plan.Limits)); err != nil {
		return nil, errors.Join(classify(err), job.Close(), user.Close())
	}
	collector := stats.NewCollector(job, stats.Options{KeepHandles: true, Limits: statsLimits(plan.Limits)})
	return &Job{
		id: id, job: job, token: user, collector: collector, plan: plan, limits: plan.Limits,
		hold: newHold(job, h.Suspend),
	}, nil
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
func (j *Job) Processes() ([]*options.ProcessDetails, error) {
	list, err := j.collector.Processes()
	if err != nil {
		return nil, classify(err)
	}
	details := make([]*options.ProcessDetails, len(list))
	for i := range list {
		details[i] = list[i].Runhcs("")
	}
	return details, nil
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
func (j *Job) Stats(started time.Time) proto.Message {
	sample := j.collector.Sample(started)
	if sample.Lacks() {
		j.missing.Do(func() {
			for f, p := range sample.Figures {
				if p.Err != nil {
					log.L.WithField(logfield.ContainerID, j.id).WithError(p.Err).Debugf("statistics: %s is %s", stats.Figure(f), p.Quality)
				}
			}
		})
	}
	return sample.Runhcs()
}

// Close gives the job back; members that are left end with it.
func (j *Job) Close() error {
	j.collector.Release()
	return errors.Join(j.job.Close(), j.hold.close(), j.token.Close())
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
	defer job.Close()
	if err := job.Terminate(task.Killed); err != nil {
		return classify(err)
	}
	return classify(job.WaitEmpty(ctx))
}
