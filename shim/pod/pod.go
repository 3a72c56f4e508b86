// Package pod has what the containers of a shim share when they are a Kubernetes pod: the sandbox, the workloads, and the
// rules for both.
//
// Package service makes the tasks and serves the APIs. It has one [Slot], which holds the [Pod] that the shim belongs to, if
// any. The pod checks a container before it is made (Slot.Join), gets the task (Pod.Add), and loses it with Pod.Remove. It ends
// its tasks (Kill, Stop) and reports on them (Status, Metrics); only the service deletes them. The sandbox of a pod of job
// containers, and each that the Sandbox API makes, has a [Placeholder] for its container.
//
// The bundle of the sandbox has a record of each workload, so that [Cleanup] finds them when the shim has died.
package pod

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/shim/task"
)

// Pod is a sandbox and its workloads, which are the other containers of the shim. All methods are safe for concurrent use.
// Kill, Stop, Status and Metrics require that the sandbox was added.
type Pod struct {
	// Immutable.
	ID          string // of the sandbox, which is one of the tasks
	Bundle      string // of the sandbox
	SandboxAPI  bool   // the Sandbox API has created the sandbox, and removes it; otherwise the Task API does
	job         bool   // the workloads are job containers
	annotations map[string]string
	network     string // the network namespace of the workloads; "" if the Sandbox API named none
	created     time.Time

	// mu guards the fields below.
	mu        sync.Mutex
	sandbox   *task.Task            // nil until it is added
	workloads map[string]*task.Task // a nil task is being created
	ending    bool                  // nothing starts any more
}

// newPod makes the pod of a sandbox that the Task API creates.
func newPod(id, bundle string, job bool, annotations map[string]string) *Pod {
	return &Pod{
		ID: id, Bundle: bundle, job: job, annotations: annotations, created: time.Now(),
		workloads: map[string]*task.Task{},
	}
}

// Add makes a task the sandbox, if it has the pod's id, or a workload. A workload fails with
// [errdefs.ErrFailedPrecondition] if the pod has begun to end.
func (p *Pod) Add(t *task.Task) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case t.ID == p.ID:
		p.sandbox = t
	case p.ending:
		return fmt.Errorf("sandbox %s has been stopped: %w", p.ID, errdefs.ErrFailedPrecondition)
	default:
		p.workloads[t.ID] = t
	}
	return nil
}

// Remove undoes Add and [Slot.Join]; see also RemoveRecord. Nothing starts in the pod without its sandbox.
func (p *Pod) Remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = p.ending || id == p.ID
	delete(p.workloads, id)
}

// Workloads lists the workloads in no order.
func (p *Pod) Workloads() []*task.Task {
	_, all := p.tasks()
	return all
}

func (p *Pod) tasks() (sandbox *task.Task, workloads []*task.Task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.workloads {
		if t != nil {
			workloads = append(workloads, t)
		}
	}
	return p.sandbox, workloads
}

// close lets nothing start any more.
func (p *Pod) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
}

// CheckRunning fails with [errdefs.ErrFailedPrecondition] unless the sandbox runs: a workload is neither created nor
// started without it.
func (p *Pod) CheckRunning() error {
	p.mu.Lock()
	sandbox, ending := p.sandbox, p.ending
	p.mu.Unlock()
	if sandbox == nil || ending {
		return fmt.Errorf("sandbox %s is not running: %w", p.ID, errdefs.ErrFailedPrecondition)
	}
	if state := sandbox.Init.Status().State; state != task.Running {
		return fmt.Errorf("sandbox %s is %s, not running: %w", p.ID, state, errdefs.ErrFailedPrecondition)
	}
	return nil
}

// checkWorkload refuses a workload of another kind than the pod's.
func (p *Pod) checkWorkload(job bool) error {
	switch {
	case job && !p.job:
		return fmt.Errorf("a job container cannot join sandbox %s, which is not one of job containers: "+
			"ask for host process on the pod as well: %w", p.ID, errdefs.ErrFailedPrecondition)
	case !job && p.job:
		return fmt.Errorf("sandbox %s takes job containers only: ask for host process on the container as well: %w",
			p.ID, errdefs.ErrFailedPrecondition)
	}
	return nil
}

// additions are what the pod has for all its workloads.
func (p *Pod) additions() plan.Additions {
	if p.job {
		return plan.Additions{Annotations: p.annotations}
	}
	return plan.Additions{Network: p.network}
}

// Kill sends a signal to every process of the workloads, and then to the sandbox. After SIGKILL nothing starts any more.
func (p *Pod) Kill(sig uint32) error {
	if sig == container.SIGKILL {
		p.close()
	}
	sandbox, workloads := p.tasks()
	var errs []error
	for _, t := range workloads {
		if err := t.KillAll(sig); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, sandbox.KillAll(sig))...)
}

// Stop ends the pod and returns when all its tasks have ended, or with ctx. The workloads get SIGTERM and have the grace
// period to end; then they are killed. It may be called again.
func (p *Pod) Stop(ctx context.Context, grace time.Duration) error {
	p.close()
	sandbox, workloads := p.tasks()
	if grace > 0 {
		for _, t := range workloads {
			if err := t.Init.Kill(container.SIGTERM); err != nil && !errdefs.IsNotFound(err) {
				log.L.WithField(logfield.ContainerID, t.ID).WithError(err).Warn("send SIGTERM") // SIGKILL follows
			}
		}
		bounded, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if err := wait(bounded, workloads); err != nil && ctx.Err() != nil {
			return err
		}
	}
	var errs []error
	for _, t := range append(workloads, sandbox) {
		sig := uint32(container.SIGKILL)
		if t == sandbox && p.SandboxAPI {
			sig = container.SIGTERM // a stop is no failure: a placeholder that gets SIGTERM ends with 0
		}
		if err := t.Init.Kill(sig); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, wait(ctx, append(workloads, sandbox)))...)
}

// wait returns when all tasks have ended, or with ctx.
func wait(ctx context.Context, tasks []*task.Task) error {
	for _, t := range tasks {
		if _, err := t.Init.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}
