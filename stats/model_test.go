package stats_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

var (
	schedules = flag.Int("schedules", 3000, "schedules of TestG4Truth; 1000000 for the proof")
	seed      = flag.Uint64("seed", 0, "seed of the first schedule of TestG4Truth; 0 takes one from the clock")
)

// TestG4Truth lets collectors query a machine on which processes are created and exit, pids are used again and jobs are
// nested between any two kernel calls. Whatever the schedule, no answer counts a non-member or a process twice, and none
// misses a member that was one from the beginning of the query to its end.
func TestG4Truth(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	t.Logf("%d schedules from seed %d", *schedules, first)
	queries := 0
	for i := range *schedules {
		w := newWorld(first + uint64(i))
		if err := w.run(); err != nil {
			t.Fatalf("-seed %d -schedules 1: %v", first+uint64(i), err)
		}
		queries += w.queries
	}
	t.Logf("%d queries", queries)
}

// mostProcesses is how many processes a schedule can create. The private working set of each is another bit of the sum. The
// bits are two apart, so that a process that is counted twice is detected.
const (
	mostProcesses = 31
	bitsApart     = 2
)

const (
	outer = container
	inner = `\Container_c1\nested`
)

// world is one schedule.
type world struct {
	*churn
	kernel  *jobtest.Kernel
	anchors []jobobject.Handle // keep the names of the jobs
	created int
	alive   []*simProcess
	// joined are the processes of the container at any time since the query began.
	joined  map[int]*simProcess
	queries int

	keeping, opening *stats.Collector
	node             *stats.Node
	jobs             []*jobobject.Job
}

// simProcess is a process of the world.
type simProcess struct {
	*jobtest.Proc
	bit    int
	image  string
	member bool // of the container
}

func newWorld(seed uint64) *world {
	w := &world{kernel: jobtest.New(), joined: map[int]*simProcess{}}
	w.kernel.RecyclePids()
	w.churn = &churn{Kernel: w.kernel, random: rand.New(rand.NewPCG(seed, 0)), step: w.event, inside: true}
	for _, name := range []string{outer, inner, otherJob} {
		h, err := w.kernel.CreateJob(name, sddl)
		if err != nil {
			panic(err)
		}
		w.anchors = append(w.anchors, h)
	}
	for _, name := range []string{outer, otherJob} {
		job, err := jobobject.Open(name, jobobject.OpenOptions{Kernel: w.churn})
		if err != nil {
			panic(err)
		}
		w.jobs = append(w.jobs, job)
	}
	w.keeping = stats.NewCollector(w.jobs[0], stats.Options{KeepHandles: true, Now: w.kernel.Now})
	w.opening = stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: w.churn, Now: w.kernel.Now})
	w.node = stats.NewNode(w.churn)
	// The first process of the container moves into the inner job, which nests it there for good.
	w.create(outer)
	if p := w.alive[0]; w.adopt(w.anchors[1], p) != nil {
		panic("cannot nest")
	}
	w.inside = false
	return w
}

// run makes a few queries; events happen during and between them.
func (w *world) run() error {
	ask := []func() error{
		func() error { return w.sample(w.keeping) }, func() error { return w.sample(w.opening) },
		func() error { return w.list(w.keeping) }, func() error { return w.list(w.opening) }, w.lists,
	}
	for range 3 + w.random.IntN(4) {
		w.stir()
		// More of the first, which has the most to get wrong.
		which := max(0, w.random.IntN(len(ask)+3)-3)
		if err := ask[which](); err != nil {
			return err
		}
		w.queries++
	}
	w.inside = true
	w.keeping.Release()
	for _, job := range w.jobs {
		if err := job.Close(); err != nil {
			return err
		}
	}
	for _, h := range w.anchors {
		if err := w.kernel.CloseHandle(h); err != nil {
			return err
		}
	}
	if n := w.kernel.OpenHandles(); n != 0 {
		return fmt.Errorf("%d handles left open", n)
	}
	return nil
}

// event is one thing that happens in the world.
func (w *world) event() {
	switch n := w.random.IntN(10); {
	case n < 2:
		w.create(outer)
	case n < 3:
		w.create(inner)
	case n < 5:
		w.create([]string{otherJob, ""}[w.random.IntN(2)])
	case n < 6:
		// A process without a job joins the container late in its life.
		if p := w.pick(); p != nil && w.adopt(w.anchors[0], p) == nil {
			w.admit(p)
		}
	case n < 7 && w.random.IntN(2) == 0:
		w.rival()
	default:
		w.exit()
	}
}

// rival samples from another program at the same time.
func (w *world) rival() {
	s := sampleOf(stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: w.kernel}), time.Time{})
	if !s.Has(stats.MetricProcesses) {
		panic("the container is gone")
	}
}

func (w *world) create(job string) {
	if w.created == mostProcesses {
		return
	}
	image := fmt.Sprintf("p%d.exe", w.created)
	p, err := w.kernel.Place(job, image, jobtest.Self)
	if err != nil {
		panic(err)
	}
	made := &simProcess{Proc: p, bit: w.created * bitsApart, image: image}
	w.created++
	p.PrivateWorkingSet(1 << made.bit)
	w.alive = append(w.alive, made)
	if job == outer || job == inner {
		w.admit(made)
	}
}

func (w *world) admit(p *simProcess) {
	p.member = true
	w.joined[p.bit] = p
}

// adopt puts a process into a job, which the kernel may refuse.
func (w *world) adopt(job jobobject.Handle, p *simProcess) error {
	h, err := w.kernel.OpenProcess(p.Pid(), jobobject.ProcessSetQuota|jobobject.ProcessTerminate)
	if err != nil {
		panic(err)
	}
	err = w.kernel.AssignProcess(job, h)
	if cerr := w.kernel.CloseHandle(h); cerr != nil {
		panic(cerr)
	}
	return err
}

func (w *world) pick() *simProcess {
	if len(w.alive) == 0 {
		return nil
	}
	return w.alive[w.random.IntN(len(w.alive))]
}

func (w *world) exit() {
	if len(w.alive) == 0 {
		return
	}
	i := w.random.IntN(len(w.alive))
	p := w.alive[i]
	w.alive = append(w.alive[:i:i], w.alive[i+1:]...)
	p.Exit(0)
}
