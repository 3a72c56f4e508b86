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

	// mu guards the field below.
	mu    sync.Mutex
	ended bool // no program may start any more
}

var _ shim.Container = (*Job)(nil)

func newJob(kernel jobobject.Kernel, namespace, id string, plan *spec.Job) (*Job, error) {
	for _, warning := range plan.Warnings {
		log.L.WithField(logfield.ContainerID, id).Warn(warning)
	}
	user, err := logon(plan)
	if err != nil {
		return nil, err
	}
	job, err := jobobject.Create(jobobject.Options{
		Name: JobName(namespace, id), KillOnClose: true, TrackIO: true, Kernel: kernel,
	})
	if err != nil {
		return nil, errors.Join(classify(err), user.Close())
	}
	if err := job.SetLimits(limits(plan.Limits)); err != nil {
		return nil, errors.Join(classify(err), job.Close(), user.Close())
	}
	collector := stats.NewCollector(job, stats.Options{KeepHandles: true, Limits: &stats.Limits{
		CommitBytes: plan.Limits.MemoryBytes, ProcessorRate: plan.Limits.CPURate, ProcessorWeight: plan.Limits.CPUWeight,
	}})
	return &Job{id: id, job: job, token: user, collector: collector}, nil
}

// Program prepares a program that will start inside the job.
func (j *Job) Program(p *spec.Process, streams *stdio.Relay) task.Program {
	return &program{job: j, spec: p, streams: streams}
}

// start launches a program in the job unless the container has ended.
func (j *Job) start(o jobobject.ProcessOptions) (*jobobject.Process, error) {
	j.mu.Lock()
	ended := j.ended
	j.mu.Unlock()
	if ended {
		return nil, fmt.Errorf("the container has ended: %w", errdefs.ErrFailedPrecondition)
	}
	o.Token = j.token.Handle()
	return j.job.Start(o)
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
	return errors.Join(j.job.Close(), j.token.Close())
}

// limits of a plan as the job object takes them.
func limits(l spec.Limits) jobobject.Limits {
	out := jobobject.Limits{
		KillOnClose: true, JobMemory: l.MemoryBytes, CPURate: l.CPURate, CPUWeight: l.CPUWeight,
	}
	for _, a := range l.Affinity {
		out.Affinity = append(out.Affinity, jobobject.GroupAffinity{Group: uint16(a.Group), Mask: a.Mask})
	}
	return out
}

// Cleanup ends what a dead shim left of a container and returns once its job is gone. A container that is gone
// already is a success: the kernel ends a job's members when the last handle closes.
func (h Host) Cleanup(ctx context.Context, namespace, id string) error {
	job, err := jobobject.Open(JobName(namespace, id), jobobject.AccessAll, h.Kernel)
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
