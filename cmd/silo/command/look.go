package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// look opens the job of a container for as long as see looks at it. No verb that goes on looking may keep the job open
// meanwhile: it ends its members when the last handle closes, and that must be its maker's.
func (a *App) look(c node.Container, access jobobject.Access, see func(*jobobject.Job) error) (err error) {
	job, err := c.Open(access, a.Kernel)
	if errors.Is(err, jobobject.ErrNotExist) {
		return fmt.Errorf("%s: %w", c.Name(), node.ErrNotFound)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	return see(job)
}

// addViolations adds what the supervisor of the container has counted. Of a container that the shim or the Host Compute
// Service made, and of a record of the run before, they stay unknown.
func addViolations(c node.Container, s *stats.Sample) {
	if r := c.Record; r != nil && r.Exit == nil && r.Violations != nil {
		s.SetViolations(*r.Violations)
	}
}

// view is a container with what the kernel says of it.
type view struct {
	node.Container
	Sample    stats.Sample    `json:"statistics"`
	Processes []stats.Process `json:"processes,omitempty"`
}

// started is when the container's program started, as its record tells.
func started(c node.Container) time.Time {
	if c.Record == nil {
		return time.Time{}
	}
	return c.Record.Started
}

// sample looks at one container.
func (a *App) sample(c node.Container) (view, error) {
	v := view{Container: c}
	err := a.look(c, jobobject.AccessQuery, func(job *jobobject.Job) error {
		limits := a.limitsOf(job)
		v.Sample = stats.NewCollector(job, stats.Options{Now: a.Now, Limits: limits, Kernel: a.Kernel}).Sample(started(c))
		addViolations(c, &v.Sample)
		return nil
	})
	return v, err
}

// limitsOf asks for the limits that statistics carry; nil where the kernel does not tell.
func (a *App) limitsOf(job *jobobject.Job) *stats.Limits {
	l, err := job.QueryLimits(context.Background())
	if err != nil {
		return nil
	}
	return &stats.Limits{
		CommitBytes: l.JobMemory, ActiveProcesses: l.ActiveProcesses, ProcessorRate: l.CPURate, ProcessorWeight: l.CPUWeight,
	}
}

// samples looks at each of the containers. One that ended meanwhile is left out; one that may not be looked at is in
// the error, and the others are there.
func (a *App) samples(list []node.Container) ([]view, error) {
	views := []view{}
	var errs []error
	for _, c := range list {
		v, err := a.sample(c)
		switch {
		case errors.Is(err, node.ErrNotFound):
		case err != nil:
			errs = append(errs, err)
		default:
			views = append(views, v)
		}
	}
	return views, errors.Join(errs...)
}

// named finds the containers with these names, or all where there are none.
func (a *App) named(refs []string) ([]node.Container, error) {
	if len(refs) == 0 {
		return a.Node.Containers()
	}
	var list []node.Container
	for _, ref := range refs {
		c, err := a.Node.Find(ref)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// processes lists the members of all containers, in few questions however many there are.
func (a *App) processes(list []node.Container) (lists [][]stats.Process, err error) {
	var jobs []*jobobject.Job
	var open []int
	defer func() {
		for _, job := range jobs {
			err = errors.Join(err, job.Close())
		}
	}()
	for i, c := range list {
		job, err := c.Open(jobobject.AccessQuery, a.Kernel)
		if err != nil {
			continue // it ended meanwhile, or is not ours to see
		}
		jobs, open = append(jobs, job), append(open, i)
	}
	found, err := stats.NewNode(a.Kernel).Processes(jobs)
	lists = make([][]stats.Process, len(list))
	for at, i := range open {
		lists[i] = found[at]
		a.fillPrivate(lists[i], jobs[at])
	}
	return lists, err
}

// fillPrivate asks each process for its private working set where the list of the machine does not tell it.
func (a *App) fillPrivate(list []stats.Process, job *jobobject.Job) {
	if !slices.ContainsFunc(list, func(p stats.Process) bool { return !p.Has(stats.KnownPrivate) }) {
		return
	}
	asked, err := stats.NewCollector(job, stats.Options{}).Processes()
	if err != nil {
		return // the figures stay unknown
	}
	byKey := map[processKey]stats.Process{}
	for _, p := range asked {
		byKey[processKey{p.Pid, p.Created}] = p
	}
	for i := range list {
		if p := byKey[processKey{list[i].Pid, list[i].Created}]; p.Has(stats.KnownPrivate) {
			list[i].PrivateWorkingSet, list[i].SharedWorkingSet = p.PrivateWorkingSet, p.SharedWorkingSet
			list[i].Known |= stats.KnownPrivate
		}
	}
}
