package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

const (
	// sampleTimeout bounds the look at one container: a kernel that hangs over it must not hide the others.
	sampleTimeout = 5 * time.Second
	// handleIdle is how long process handles stay open after a look. An exited process stays in the kernel until then.
	handleIdle = 3 * time.Second
)

// observer looks at the containers of the machine. A verb that goes on looking keeps one: between two looks it has the
// buffers of the node and a collector for each container. It keeps no job open, see [App.look]. Its samples may be taken
// concurrently, its process lists may not.
type observer struct {
	// Immutable.
	app  *App
	node *stats.Node

	mu         sync.Mutex // guards the field below
	collectors map[string]*stats.Collector
}

func (a *App) newObserver() *observer {
	return &observer{app: a, node: stats.NewNode(a.Kernel), collectors: map[string]*stats.Collector{}}
}

// collector returns the collector of a container. It keeps no process handles of a Windows Server container: the Host
// Compute Service may wait for the end of its processes.
func (o *observer) collector(c node.Container) *stats.Collector {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.collectors[c.Job]
	if kept == nil {
		kept = stats.NewNamedCollector(c.Job, stats.NamedOptions{
			Kernel: o.app.Kernel, Now: o.app.Now, QueryLimits: true,
			KeepHandles: c.Kind != node.Server, CountHandles: true, Idle: handleIdle, BusyAfter: time.Second,
		})
		o.collectors[c.Job] = kept
	}
	return kept
}

// retain releases the collectors of all containers but these; with nil it ends the use of the observer.
func (o *observer) retain(list []node.Container) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for job, collector := range o.collectors {
		if !slices.ContainsFunc(list, func(c node.Container) bool { return c.Job == job }) {
			collector.Release()
			delete(o.collectors, job)
		}
	}
}

// view is a container with its statistics.
type view struct {
	node.Container
	Sample    stats.Sample    `json:"statistics"`
	Processes []stats.Process `json:"processes,omitempty"`
}

// sample looks at one container.
func (o *observer) sample(ctx context.Context, c node.Container) (view, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	var started time.Time
	if c.Record != nil {
		started = c.Record.Started
	}
	s, err := o.collector(c).Sample(ctx, started)
	if errors.Is(err, jobobject.ErrNotExist) {
		err = node.ErrNotFound
	}
	if err != nil {
		return view{Container: c}, fmt.Errorf("%s: %w", c.Name(), err)
	}
	// The supervisor of the container counts violations. Without one, and in a record of an earlier run, they are unknown.
	if r := c.Record; r != nil && r.Exit == nil && r.Violations != nil {
		s.SetViolations(*r.Violations)
	}
	return view{Container: c, Sample: s}, nil
}

// samples looks at each of the containers. One that ended meanwhile is left out. One that cannot be sampled is in the
// error, and the others are returned.
func (o *observer) samples(ctx context.Context, list []node.Container) ([]view, error) {
	o.retain(list)
	views := []view{}
	var errs []error
	for _, c := range list {
		v, err := o.sample(ctx, c)
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

// processes lists the members of all containers with their private working sets.
func (o *observer) processes(ctx context.Context, list []node.Container) ([][]stats.Process, error) {
	o.retain(list)
	lists, err := o.members(ctx, list)
	for i := range lists {
		o.fillPrivate(ctx, lists[i], list[i])
	}
	return lists, err
}

// members lists the members of all containers, in few kernel calls for any number of processes.
func (o *observer) members(ctx context.Context, list []node.Container) (lists [][]stats.Process, err error) {
	var jobs []*jobobject.Job
	var open []int
	defer func() {
		for _, job := range jobs {
			err = errors.Join(err, job.Close())
		}
	}()
	for i, c := range list {
		job, err := c.Open(jobobject.AccessQuery, o.app.Kernel)
		if err != nil {
			continue // it ended meanwhile, or this user may not look at it
		}
		jobs, open = append(jobs, job), append(open, i)
	}
	found, err := o.node.Processes(ctx, jobs)
	lists = make([][]stats.Process, len(list))
	for at, i := range open {
		lists[i] = found[at]
	}
	return lists, err
}

// fillPrivate queries each process for its private working set if the list of the machine does not have it.
func (o *observer) fillPrivate(ctx context.Context, list []stats.Process, c node.Container) {
	if !slices.ContainsFunc(list, func(p stats.Process) bool { return !p.Has(stats.KnownPrivate) }) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	queried, err := o.collector(c).Processes(ctx)
	if err != nil {
		return // the values stay unknown
	}
	byKey := map[processKey]stats.Process{}
	for _, p := range queried {
		byKey[processKey{p.Pid, p.Created}] = p
	}
	for i := range list {
		if p := byKey[processKey{list[i].Pid, list[i].Created}]; p.Has(stats.KnownPrivate) {
			list[i].PrivateWorkingSet, list[i].SharedWorkingSet = p.PrivateWorkingSet, p.SharedWorkingSet
			list[i].Known |= stats.KnownPrivate
		}
	}
}
