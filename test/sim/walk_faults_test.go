package sim_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/service"
	"github.com/siloshim/siloshim/test/sim"
)

// machineFault is a call of the machine that fails, or hangs until its request has timed out.
type machineFault struct {
	at   point
	hang bool
}

func (f machineFault) String() string {
	switch {
	case f == (machineFault{}):
		return ""
	case f.hang:
		return fmt.Sprintf("(%s %d hangs)", f.at.name, f.at.nth)
	}
	return fmt.Sprintf("(%s %d fails)", f.at.name, f.at.nth)
}

// faultyCalls are the calls of each request that have faults. The close of a handle has none: the handle would be left.
var faultyCalls = map[string][]string{
	"create":   {"CreateJob", "CreatePort", "AssociatePort", "SetLimits", "EnableIOAttribution"},
	"start":    {"CreateProcess", "WatchExit"},
	"kill":     {"TerminateProcess", "TerminateJob", "ExitCode", "Accounting"},
	"kill all": {"TerminateProcess", "TerminateJob", "ExitCode", "Accounting"},
	"delete":   {"TerminateJob", "Accounting"},
	"pause":    {"Freeze"},
	"resume":   {"Freeze"},
	"stats":    {"ProcessIDs", "OpenProcess", "IsProcessInJob", "ProcessMemory", "Accounting"},
	"pids":     {"ProcessIDs", "OpenProcess", "ProcessTimes", "ProcessImage"},
}

// errFault is the error of a call that fails.
var errFault = errors.New("the machine has a fault")

// randomFaults makes one step in three a request with a fault.
func randomFaults(rng *rand.Rand, steps []step) {
	requests := []string{"create", "start", "start", "start", "kill", "kill all", "delete", "pause", "pause", "resume", "stats", "pids"}
	for i := range steps {
		if rng.IntN(3) > 0 {
			continue
		}
		s := &steps[i]
		if s.op = requests[rng.IntN(len(requests))]; s.op != "start" && s.op != "kill" && s.op != "delete" {
			s.exec = "" // the others are not for execs
		}
		calls := faultyCalls[s.op]
		s.fault = machineFault{point{name: "kernel " + calls[rng.IntN(len(calls))], nth: 1 + rng.IntN(4)/3}, rng.IntN(2) == 0}
	}
}

// newFaultyWalker makes a walker in a bubble, on a machine with faults.
func newFaultyWalker(t *testing.T) *walker {
	f := newInjector(point{})
	f.arm(point{}, nil, errFault)
	w := &walker{
		World: &sim.World{Kernel: jobtest.New(), Served: make(chan error, 1)}, dir: sim.Bundle(t, nil, "sleep"),
		tried: map[string]int{}, met: map[string]int{}, injector: f,
	}
	w.reset()
	w.Kernel.Program("workload.exe", sim.Workload)
	w.ServeInMemory(service.Config{
		Namespace: "ns", Engine: engine.Engine{Kernel: &queryFaultyKernel{newFaultyKernel(w.Kernel, f)}}, Emit: w.Emit,
		Machine: plan.Machine{Lookup: func(path string) bool { return path == sim.Program }},
	})
	t.Cleanup(func() {
		_, _ = w.Shutdown(context.Background(), &api.ShutdownRequest{Now: true}) // the answer may be lost
		if err := errors.Join(w.Client.Close(), <-w.Served); err != nil {
			t.Error(err)
		}
	})
	return w
}

// requestWithFault makes a request during which the machine has a fault. The answer is the model's, or an error if the model's
// is a success. The events must lead to the states; a query has no events.
func (w *walker) requestWithFault(t *testing.T, s step, m, before *model, want string) string {
	var hangs chan struct{}
	if s.fault.hang {
		hangs = make(chan struct{})
	}
	fails := errFault
	if s.fault.hang {
		fails = nil
	}
	w.injector.arm(s.fault.at, hangs, fails)
	got := class(w.request(t, s))
	if w.injector.wasReached() {
		w.met[s.op+" "+s.fault.String()]++
	}
	if hangs != nil {
		close(hangs)
	}
	w.injector.arm(point{}, nil, errFault)
	time.Sleep(time.Hour) // of the bubble's clock, for the late calls
	if got != want && (want != fine || got == fine) {
		return fmt.Sprintf("answer %q, want %q", got, want)
	}
	events := w.TakeEvents()
	for _, e := range events {
		if failure := before.apply(e); failure != "" {
			return fmt.Sprintf("events %q: %s", events, failure)
		}
	}
	if len(events) > 0 && (slices.Contains(queries, s.op) || slices.Contains(atomic, s.op) && got != fine && !s.fault.hang) {
		return fmt.Sprintf("events %q of a request that must not change anything", events)
	}
	return w.compareWithEvents(t, s, m, before)
}

// queries change nothing; atomic requests change all or nothing.
var (
	queries = []string{"state", "stats", "pids", "update", "resize", "close io", "wait"}
	atomic  = []string{"create", "exec", "pause", "resume"}
)

// compareWithEvents compares the states with those that the events lead to, and makes them the model's. A start that has
// failed has no event.
func (w *walker) compareWithEvents(t *testing.T, s step, m *model, led *model) string {
	for _, exec := range []string{"", m.id + "x", m.id + "y", m.id + "z"} {
		now := types.Status_UNKNOWN
		r, err := w.State(t.Context(), &api.StateRequest{ID: m.id, ExecID: exec})
		if err == nil {
			now = r.Status
		} else if class(err) != notFound {
			return fmt.Sprintf("state of %s: %v", m.name(exec), err)
		}
		want := led.of(exec)
		if s.op == "start" && s.exec == exec && want == types.Status_CREATED && now == types.Status_STOPPED {
			led.set(exec, now)
			want = now
		}
		if now != want {
			return fmt.Sprintf("state of %s is %v, the events lead to %v", m.name(exec), now, want)
		}
	}
	*m = *led
	return ""
}

// apply changes the state by an event, or returns why the event is impossible.
func (m *model) apply(event string) string {
	what, who, _ := strings.Cut(event, " ")
	exec := who
	if who == m.id {
		exec = ""
	}
	now := m.of(exec)
	from, to := []types.Status{types.Status_CREATED}, types.Status_RUNNING
	switch what {
	case "create", "exec-added":
		from, to = []types.Status{types.Status_UNKNOWN}, types.Status_CREATED
	case "paused":
		from, to = []types.Status{types.Status_RUNNING}, types.Status_PAUSED
	case "resumed":
		from = []types.Status{types.Status_PAUSED}
	case "exit":
		from, to = []types.Status{types.Status_CREATED, types.Status_RUNNING, types.Status_PAUSED}, types.Status_STOPPED
	case "delete":
		_, exec, _ = strings.Cut(who, " ")
		now, from, to = m.of(exec), []types.Status{types.Status_CREATED, types.Status_STOPPED}, types.Status_UNKNOWN
	}
	if !slices.Contains(from, now) {
		return fmt.Sprintf("%s of a process that is %v", event, now)
	}
	if what == "create" || what == "delete" && exec == "" {
		m.execs = map[string]types.Status{}
	}
	m.set(exec, to)
	return ""
}

// clone copies a model.
func (m *model) clone() *model {
	c := *m
	c.execs = maps.Clone(m.execs)
	if c.execs == nil {
		c.execs = map[string]types.Status{}
	}
	return &c
}

// TestWalk_RandomFaults_EventsLeadToTheStates is the walk on a machine whose calls fail or hang at random.
func TestWalk_RandomFaults_EventsLeadToTheStates(t *testing.T) {
	seed := *walkSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d steps, seed %d", *walkSteps, seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	silenceLog(t)
	met := map[string]int{}
	walk := func(steps []step) (failure string) {
		synctest.Test(t, func(t *testing.T) {
			w := newFaultyWalker(t)
			failure = w.walk(t, steps)
			for what, n := range w.met {
				met[what] += n
			}
		})
		return failure
	}
	for taken := 0; taken < *walkSteps; taken += leg {
		steps := make([]step, min(leg, *walkSteps-taken))
		for i := range steps {
			steps[i] = randomStep(rng)
		}
		randomFaults(rng, steps)
		if failure := walk(steps); failure != "" {
			few, why := shrink(steps, walk)
			t.Fatalf("seed %d: %s\nthe shortest way there: %v\n%s", seed, failure, few, why)
		}
	}
	t.Logf("%d pairs of a request and a fault were met", len(met))
}
