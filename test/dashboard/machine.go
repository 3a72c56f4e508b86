package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/command"
	"github.com/siloshim/siloshim/cmd/silo/dashboard"
	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

const processors = 16

// machine is a simulated machine with containers under load.
type machine struct {
	kernel *jobtest.Kernel
	app    *command.App
	dir    string
	random *rand.Rand
	pods   *containertest.Machine
	refuse atomic.Bool // the list of job objects is refused
	paths  atomic.Pointer[[]string]
	began  time.Time
	steps  int

	containers []*container
}

// container is a job with its processes.
type container struct {
	name   string
	path   string // of the kernel
	job    *jobobject.Job
	record *node.Record // nil but for silo run
	procs  []*jobtest.Proc
	loads  []*load
}

func newMachine(dir string, containers, processes int, hostile bool) (*machine, error) {
	m := &machine{kernel: jobtest.New(), dir: dir, random: rand.New(rand.NewPCG(7, 15)), pods: new(containertest.Machine)}
	m.kernel.Processors(processors)
	m.paths.Store(new([]string))
	m.began = m.kernel.Now()
	m.app = &command.App{
		Kernel: m.kernel, Machine: limit.Machine{Groups: []int{processors}, MHz: 2600}, Now: m.kernel.Now,
		Node: node.Node{Names: m.names, Records: node.Records{Dir: filepath.Join(dir, "state")}, Pods: m.pods},
	}
	for i := range containers {
		w := workloadAt(i)
		if processes > 0 {
			w.processes = processes
		}
		if err := m.add(w); err != nil {
			return nil, err
		}
	}
	if hostile {
		if err := m.add(hostileWorkload); err != nil {
			return nil, err
		}
	}
	return m, m.history()
}

func (m *machine) names() ([]string, error) {
	if m.refuse.Load() {
		return nil, fmt.Errorf(`open \BaseNamedObjects: %w`, jobobject.ErrPermission)
	}
	return *m.paths.Load(), nil
}

// listed publishes the containers that exist.
func (m *machine) listed() {
	paths := make([]string, 0, len(m.containers))
	for _, c := range m.containers {
		paths = append(paths, c.path)
	}
	m.paths.Store(&paths)
}

// add makes a container.
func (m *machine) add(w workload) error {
	c := &container{name: w.namespace + "/" + w.id, path: `\BaseNamedObjects\silo/` + w.namespace + "/" + w.id}
	name, key := node.JobName(w.namespace, w.id), podinfo.Key(w.namespace, w.id)
	if w.namespace == "hcs" {
		name, key = stats.SiloName(w.id), w.id
		c.path = name
	}
	var err error
	if c.job, err = jobobject.Create(jobobject.Options{Name: name, KillOnClose: true, TrackIO: true, Kernel: m.kernel}); err != nil {
		return err
	}
	limits := w.limits
	limits.KillOnClose = true
	if err := c.job.SetLimits(context.Background(), limits); err != nil {
		return err
	}
	for i := range w.processes {
		parent := uint32(jobtest.Self)
		if i > 0 {
			parent = c.procs[m.random.IntN(min(i, 3))].Pid()
		}
		p, err := m.kernel.Place(name, w.images[min(i, len(w.images)-1)], parent)
		if err != nil {
			return err
		}
		l := newLoad(m.random, 1/(1+0.3*float64(i)))
		if w.heavy > 0 {
			l.cores, l.memory, l.bursts, l.sawtooth = w.heavy/float64(w.processes), 470*(1<<20)/float64(w.processes), 0, 70*time.Second
			l.wave, l.phase, l.reserve = 3*time.Minute, 0.5, 0.3
		}
		c.procs, c.loads = append(c.procs, p), append(c.loads, l)
	}
	if w.pod.Name != "" {
		if _, err := m.pods.Publish(key, w.pod); err != nil { // until the program ends
			return err
		}
	}
	m.containers = append(m.containers, c)
	m.listed()
	if w.namespace != node.Own {
		return nil
	}
	c.record = &node.Record{
		Kind: node.Run, ID: w.id, Program: w.program, Pid: c.procs[0].Pid(), Started: m.kernel.Now(), Status: node.Running, Restarts: w.restarts,
		Log: filepath.Join(m.dir, fmt.Sprintf("%d.log", len(m.containers))), Warnings: w.warnings,
	}
	if w.restarts > 0 {
		c.record.LastExit = &node.Exit{Code: 0xC0000005, Reason: "exited", At: m.kernel.Now()}
	}
	for _, line := range w.log {
		if err := m.print(w.id, line); err != nil {
			return err
		}
	}
	return m.app.Node.Records.Write(c.record)
}

// history adds containers that have exited.
func (m *machine) history() error {
	if len(m.containers) == 0 {
		return nil
	}
	for _, r := range []*node.Record{
		{Kind: node.Run, ID: "migrate-schema", Exit: &node.Exit{Reason: "exited", At: m.began.Add(-3 * time.Minute)}},
		{Kind: node.Run, ID: "import-2025", Exit: &node.Exit{Code: 2, Reason: "memory", At: m.began.Add(-40 * time.Minute)}},
	} {
		r.Started, r.Status = m.began.Add(-time.Hour), node.Ended
		if err := m.app.Node.Records.Write(r); err != nil {
			return err
		}
	}
	return nil
}

// step lets 2 s of the machine's time pass and samples.
func (m *machine) step(ctx context.Context, d *dashboard.Dashboard) error {
	at := m.kernel.Now().Sub(m.began)
	for _, c := range m.containers {
		refusals := uint64(0)
		for i, l := range c.loads {
			if l.apply(c.procs[i], at, dashboard.Interval) {
				refusals++
			}
		}
		if err := m.note(c, refusals); err != nil {
			return err
		}
	}
	m.kernel.Advance(dashboard.Interval)
	m.steps++
	for _, c := range m.containers {
		if c.record != nil && m.random.IntN(4) == 0 {
			if err := m.print(c.record.ID, logLine(m.random, m.kernel.Now())); err != nil {
				return err
			}
		}
	}
	d.Sample(ctx)
	return ctx.Err()
}

// note counts violations in the record, as the supervisor does.
func (m *machine) note(c *container, refusals uint64) error {
	if c.record == nil || refusals == 0 {
		return nil
	}
	if c.record.Violations == nil {
		c.record.Violations = new(stats.Violations)
	}
	c.record.Violations.Memory += refusals
	return m.app.Node.Records.Write(c.record)
}

func (m *machine) find(id string) (*container, error) {
	for _, c := range m.containers {
		if c.record != nil && c.record.ID == id {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no container of silo run %q", id)
}

// print adds a line to the log of a container of silo run.
func (m *machine) print(id, line string) (err error) {
	c, err := m.find(id)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(c.record.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = fmt.Fprintln(file, line)
	return err
}

// exit ends a container of silo run, as its supervisor records it.
func (m *machine) exit(id string, code uint32) error {
	c, err := m.find(id)
	if err != nil {
		return err
	}
	for _, p := range c.procs {
		p.Exit(code)
	}
	c.record.Status = node.Ended
	c.record.Exit = &node.Exit{Code: code, Reason: "exited", At: m.kernel.Now()}
	m.containers = slices.DeleteFunc(m.containers, func(o *container) bool { return o == c })
	m.listed()
	return errors.Join(c.job.Close(), m.app.Node.Records.Write(c.record))
}

// clear removes all containers and records.
func (m *machine) clear() error {
	var errs []error
	for _, c := range m.containers {
		for _, p := range c.procs {
			p.Exit(0)
		}
		errs = append(errs, c.job.Close())
	}
	m.containers = nil
	m.listed()
	return errors.Join(append(errs, os.RemoveAll(m.app.Node.Records.Dir))...)
}

// withPaths shows the logs where Windows has them.
type withPaths struct{ dashboard.Source }

func (s *withPaths) Details(ctx context.Context, namespace, id string) dashboard.Details {
	d := s.Source.Details(ctx, namespace, id)
	if d.LogPath != "" {
		d.LogPath = `C:\ProgramData\silo\run\` + id + `\output.log`
	}
	return d
}
