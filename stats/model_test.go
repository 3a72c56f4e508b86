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

// TestG4Truth lets collectors ask a machine on which processes are born and end, pids are used again and jobs are
// nested between any two kernel calls. Whatever the schedule, no answer counts a stranger or anybody twice, and none
// misses a member that was one from the beginning of the question to its end.
func TestG4Truth(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	t.Logf("%d schedules from seed %d", *schedules, first)
	questions := 0
	for i := range *schedules {
		w := newWorld(first + uint64(i))
		if err := w.run(); err != nil {
			t.Fatalf("-seed %d -schedules 1: %v", first+uint64(i), err)
		}
		questions += w.questions
	}
	t.Logf("%d questions", questions)
}

// Births a schedule can have: each process has a private working set of its own bit in the sum, two bits apart so
// that one that is counted twice shows.
const (
	mostBirths = 31
	bitsApart  = 2
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
	births  int
	alive   []*inhabitant
	// joined are the inhabitants of the container at any time since the question began.
	joined    map[int]*inhabitant
	questions int

	keeping, opening *stats.Collector
	node             *stats.Node
	jobs             []*jobobject.Job
}

// inhabitant is a process of the world.
type inhabitant struct {
	*jobtest.Proc
	bit    int
	image  string
	member bool // of the container
}

func newWorld(seed uint64) *world {
	w := &world{kernel: jobtest.New(), joined: map[int]*inhabitant{}}
	w.kernel.RecyclePids()
	w.churn = &churn{Kernel: w.kernel, random: rand.New(rand.NewPCG(seed, 0)), step: w.event, inside: true}
	for _, name := range []string{outer, inner, stranger} {
		h, err := w.kernel.CreateJob(name, sddl)
		if err != nil {
			panic(err)
		}
		w.anchors = append(w.anchors, h)
	}
	for _, name := range []string{outer, stranger} {
		job, err := jobobject.Open(name, jobobject.AccessQuery, w.churn)
		if err != nil {
			panic(err)
		}
		w.jobs = append(w.jobs, job)
	}
	w.keeping = stats.NewCollector(w.jobs[0], stats.Options{KeepHandles: true, Now: w.kernel.Now})
	w.opening = stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: w.churn, Now: w.kernel.Now})
	w.node = stats.NewNode(w.churn)
	// The first process of the container moves into the inner job, which nests it there for good.
	w.birth(outer)
	if p := w.alive[0]; w.adopt(w.anchors[1], p) != nil {
		panic("cannot nest")
	}
	w.inside = false
	return w
}

// run asks a few questions, in which and between which things happen.
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
		w.questions++
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
		w.birth(outer)
	case n < 3:
		w.birth(inner)
	case n < 5:
		w.birth([]string{stranger, ""}[w.random.IntN(2)])
	case n < 6:
		// A process without a job joins the container late in its life.
		if p := w.pick(); p != nil && w.adopt(w.anchors[0], p) == nil {
			w.admit(p)
		}
	case n < 7 && w.random.IntN(2) == 0:
		w.rival()
	default:
		w.death()
	}
}

// rival: somebody else asks at the same time.
func (w *world) rival() {
	s := sampleOf(stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: w.kernel}), time.Time{})
	if !s.Has(stats.MetricProcesses) {
		panic("the container is gone")
	}
}

func (w *world) birth(job string) {
	if w.births == mostBirths {
		return
	}
	image := fmt.Sprintf("p%d.exe", w.births)
	p, err := w.kernel.Place(job, image, jobtest.Self)
	if err != nil {
		panic(err)
	}
	born := &inhabitant{Proc: p, bit: w.births * bitsApart, image: image}
	w.births++
	p.PrivateWorkingSet(1 << born.bit)
	w.alive = append(w.alive, born)
	if job == outer || job == inner {
		w.admit(born)
	}
}

func (w *world) admit(p *inhabitant) {
	p.member = true
	w.joined[p.bit] = p
}

// adopt puts a process into a job, which the kernel may refuse.
func (w *world) adopt(job jobobject.Handle, p *inhabitant) error {
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

func (w *world) pick() *inhabitant {
	if len(w.alive) == 0 {
		return nil
	}
	return w.alive[w.random.IntN(len(w.alive))]
}

func (w *world) death() {
	if len(w.alive) == 0 {
		return
	}
	i := w.random.IntN(len(w.alive))
	p := w.alive[i]
	w.alive = append(w.alive[:i:i], w.alive[i+1:]...)
	p.Exit(0)
}
