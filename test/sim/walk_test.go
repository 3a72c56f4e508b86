package sim_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"

	"github.com/siloshim/siloshim/test/sim"
)

var (
	walkSteps = flag.Int("walk", 2000, "steps of the random walk over the Task API")
	walkSeed  = flag.Uint64("walkseed", 0, "seed of the random walk; 0 takes the clock's")
)

// leg is the number of steps of one walk. All tasks are deleted after each, so that few steps lead to a failure.
const leg = 250

// step is one request of a walk.
type step struct {
	op, task, exec string
	fault          machineFault // during the request
}

func (s step) String() string {
	return strings.TrimSpace(s.op + " " + s.task + " " + s.exec + " " + s.fault.String())
}

// taskOps and execOps are the requests of the API; those that change the state are listed more often. No request ends the
// shim, and Wait is only made for a process that has stopped.
var (
	taskOps = []string{
		"create", "create", "start", "start", "kill", "kill all", "delete", "delete", "pause", "resume", "resume",
		"update", "state", "stats", "pids", "wait", "connect", "close io", "resize", "checkpoint", "shutdown",
	}
	execOps = []string{"exec", "exec", "exec", "start", "start", "kill", "delete", "state", "wait", "close io", "resize"}
)

func randomStep(rng *rand.Rand) step {
	s := step{task: []string{"a", "b", "c"}[rng.IntN(3)]}
	if rng.IntN(2) == 0 {
		s.op = taskOps[rng.IntN(len(taskOps))]
		return s
	}
	s.op, s.exec = execOps[rng.IntN(len(execOps))], s.task+[]string{"x", "y", "z"}[rng.IntN(3)]
	return s
}

// walker makes requests of a shim and of its model.
type walker struct {
	*sim.World
	dir      string // the bundle
	models   map[string]*model
	tried    map[string]int // state and operation
	injector *injector      // nil on a machine without faults
	met      map[string]int // requests with faults whose call was made
}

func newWalker(t *testing.T) *walker {
	w := &walker{World: sim.NewWorld(t), dir: sim.Bundle(t, nil, "sleep"), tried: map[string]int{}}
	w.reset()
	return w
}

func (w *walker) reset() {
	w.models = map[string]*model{}
	for _, id := range []string{"a", "b", "c"} {
		w.models[id] = &model{id: id}
	}
}

// walk makes the requests and returns the first disagreement, or "". Afterwards all tasks are deleted.
func (w *walker) walk(t *testing.T, steps []step) (failure string) {
	for i, s := range steps {
		if failure = w.step(t, s); failure != "" {
			failure = fmt.Sprintf("step %d, %s: %s", i+1, s, failure)
			break
		}
	}
	for id := range w.models {
		_, _ = w.Kill(t.Context(), &api.KillRequest{ID: id, Signal: 9}) // it may be in any state
		_, _ = w.Wait(t.Context(), &api.WaitRequest{ID: id})
		_, _ = w.Delete(t.Context(), &api.DeleteRequest{ID: id})
	}
	w.Kernel.Wait()
	if n := w.Kernel.OpenHandles(); n != 0 && failure == "" {
		failure = fmt.Sprintf("%d handles are left", n)
	}
	w.reset()
	w.TakeEvents()
	return failure
}

// step makes one request and compares answer, states and events.
func (w *walker) step(t *testing.T, s step) string {
	m := w.models[s.task]
	w.tried[fmt.Sprintf("%s in %s, task %s", s.op, m.of(s.exec), m.state)]++
	before := m.clone()
	want := m.do(s)
	switch s.op { // these do not depend on the task
	case "connect", "shutdown":
		want = fine
	case "checkpoint":
		want = unable
	}
	if want == "no answer yet" {
		return ""
	}
	if s.op == "shutdown" && w.empty() {
		return "" // it would end the shim
	}
	if s.fault != (machineFault{}) {
		return w.requestWithFault(t, s, m, before, want)
	}
	if got := class(w.request(t, s)); got != want {
		return fmt.Sprintf("answer %q, want %q", got, want)
	}
	if failure := w.waitForKilled(t, s, m, before); failure != "" {
		return failure
	}
	return w.compare(t, m)
}

// empty reports whether no model has a task.
func (w *walker) empty() bool {
	for _, m := range w.models {
		if m.state != types.Status_UNKNOWN {
			return false
		}
	}
	return true
}

// waitForKilled waits for the processes that a kill has ended.
func (w *walker) waitForKilled(t *testing.T, s step, m, before *model) string {
	if !strings.HasPrefix(s.op, "kill") || m.state == types.Status_UNKNOWN {
		return ""
	}
	for _, exec := range append(m.names(), "") {
		if m.of(exec) != types.Status_STOPPED || before.of(exec) == types.Status_STOPPED {
			continue
		}
		r, err := w.Wait(t.Context(), &api.WaitRequest{ID: m.id, ExecID: exec})
		if err != nil || r.ExitStatus != 137 {
			return fmt.Sprintf("wait for %s: %v, %v; want 137", m.name(exec), r, err)
		}
	}
	return ""
}

// compare checks the state of every process of a task, and the events.
func (w *walker) compare(t *testing.T, m *model) string {
	for _, exec := range []string{"", m.id + "x", m.id + "y", m.id + "z"} {
		want := m.of(exec)
		r, err := w.State(t.Context(), &api.StateRequest{ID: m.id, ExecID: exec})
		switch {
		case want == types.Status_UNKNOWN && class(err) != notFound:
			return fmt.Sprintf("state of %s: %v, %v; want not found", m.name(exec), r, err)
		case want != types.Status_UNKNOWN && (err != nil || r.Status != want):
			return fmt.Sprintf("state of %s: %v, %v; want %v", m.name(exec), r.GetStatus(), err, want)
		}
	}
	got, want := w.TakeEvents(), slices.Clone(m.events)
	disagree := fmt.Sprintf("events %q, want %q", got, want)
	if len(got) != len(want) {
		return disagree
	}
	if n := len(want) - 1; n >= 0 && m.isInit(want[n]) && got[n] != want[n] {
		return disagree
	}
	slices.Sort(got) // execs that end together end in any order
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return disagree
	}
	return ""
}

// TestWalk_RandomRequests_AgreeWithTheModel makes random requests of three tasks with three execs each, and of a model.
// Answers, states and events agree after every one.
func TestWalk_RandomRequests_AgreeWithTheModel(t *testing.T) {
	seed := *walkSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d steps, seed %d", *walkSteps, seed)
	rng := rand.New(rand.NewPCG(seed, 5))
	silenceLog(t)
	w := newWalker(t)
	for taken := 0; taken < *walkSteps; taken += leg {
		steps := make([]step, min(leg, *walkSteps-taken))
		for i := range steps {
			steps[i] = randomStep(rng)
		}
		if failure := w.walk(t, steps); failure != "" {
			few, why := shrink(steps, func(steps []step) string { return newWalker(t).walk(t, steps) })
			t.Fatalf("seed %d: %s\nthe shortest way there: %v\n%s", seed, failure, few, why)
		}
	}
	t.Logf("%d pairs of a state and an operation were tried", len(w.tried))
}

// shrink removes steps while the rest still fails.
func shrink(steps []step, walk func([]step) string) (few []step, why string) {
	for size := len(steps); size > 0; size /= 2 {
		for from := 0; from < len(steps); {
			shorter := slices.Delete(slices.Clone(steps), from, min(from+size, len(steps)))
			if failure := walk(shorter); failure != "" {
				steps, why = shorter, failure
				continue
			}
			from += size
		}
	}
	return steps, why
}
