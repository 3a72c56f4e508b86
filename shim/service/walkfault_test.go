package service_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/ttrpc"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/service"
)

// mishap is a call of the machine that fails, or hangs for as long as its request goes on.
type mishap struct {
	at   moment
	hang bool
}

func (f mishap) String() string {
	switch {
	case f == (mishap{}):
		return ""
	case f.hang:
		return fmt.Sprintf("(%s %d hangs)", f.at.name, f.at.nth)
	}
	return fmt.Sprintf("(%s %d fails)", f.at.name, f.at.nth)
}

// frail are the calls of each request that have faults. To close a handle does not fail: it would be left, and nobody
// could help it.
var frail = map[string][]string{
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

// errFault is what a call fails with.
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
			s.exec = "" // the others have none
		}
		calls := frail[s.op]
		s.fault = mishap{moment{name: "kernel " + calls[rng.IntN(len(calls))], nth: 1 + rng.IntN(4)/3}, rng.IntN(2) == 0}
	}
}

// newFrailWalker walks in a bubble, on a machine that has faults.
func newFrailWalker(t *testing.T) *walker {
	f := newFuse(moment{})
	f.arm(moment{}, nil, errFault)
	w := &walker{
		world: &world{kernel: jobtest.New(), served: make(chan error, 1)}, dir: bundle(t, nil, "sleep"),
		tried: map[string]int{}, met: map[string]int{}, fuse: f,
	}
	w.forget()
	w.kernel.Program("workload.exe", workload)
	m := &memory{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	config := service.Config{
		Namespace: "ns", Engine: engine.Engine{Kernel: &watched{newMortal(w.kernel, f)}}, Emit: w.emit,
		Machine: plan.Machine{Lookup: func(path string) bool { return path == program }},
	}
	go func() { w.served <- service.Serve(context.Background(), m, config) }()
	ours, theirs := net.Pipe()
	m.conns <- theirs
	client := ttrpc.NewClient(ours)
	w.TTRPCTaskService = api.NewTTRPCTaskClient(client)
	t.Cleanup(func() {
		_, _ = w.Shutdown(context.Background(), &api.ShutdownRequest{Now: true}) // the answer may not make it
		if err := errors.Join(client.Close(), <-w.served); err != nil {
			t.Error(err)
		}
	})
	return w
}

// stumble makes a request underway to which the machine has a fault. The answer is the model's, or an error where the
// model has none. Whatever the states are now, what was announced leads there; and who only asks changes nothing.
func (w *walker) stumble(t *testing.T, s step, m, before *model, want string) string {
	var hangs chan struct{}
	if s.fault.hang {
		hangs = make(chan struct{})
	}
	fails := errFault
	if s.fault.hang {
		fails = nil
	}
	w.fuse.arm(s.fault.at, hangs, fails)
	got := class(w.ask(t, s))
	if w.fuse.moved() {
		w.met[s.op+" "+s.fault.String()]++
	}
	if hangs != nil {
		close(hangs)
	}
	w.fuse.arm(moment{}, nil, errFault)
	time.Sleep(time.Hour) // by the bubble's clock: what was late is done
	if got != want && (want != fine || got == fine) {
		return fmt.Sprintf("answer %q, want %q", got, want)
	}
	told := w.fresh()
	for _, e := range told {
		if trouble := before.hear(e); trouble != "" {
			return fmt.Sprintf("events %q: %s", told, trouble)
		}
	}
	if len(told) > 0 && (slices.Contains(asking, s.op) || slices.Contains(whole, s.op) && got != fine && !s.fault.hang) {
		return fmt.Sprintf("events %q of a request that must not have changed anything", told)
	}
	return w.agree(t, s, m, before)
}

// asking change nothing; whole change all or nothing.
var (
	asking = []string{"state", "stats", "pids", "update", "resize", "close io", "wait"}
	whole  = []string{"create", "exec", "pause", "resume"}
)

// agree compares the states with those that the events lead to, and makes them the model's. A start that failed has
// no event: nothing ran.
func (w *walker) agree(t *testing.T, s step, m *model, heard *model) string {
	for _, exec := range []string{"", m.id + "x", m.id + "y", m.id + "z"} {
		now := types.Status_UNKNOWN
		r, err := w.State(t.Context(), &api.StateRequest{ID: m.id, ExecID: exec})
		if err == nil {
			now = r.Status
		} else if class(err) != notFound {
			return fmt.Sprintf("state of %s: %v", m.name(exec), err)
		}
		led := heard.of(exec)
		if s.op == "start" && s.exec == exec && led == types.Status_CREATED && now == types.Status_STOPPED {
			heard.set(exec, now)
			led = now
		}
		if now != led {
			return fmt.Sprintf("state of %s is %v, the events lead to %v", m.name(exec), now, led)
		}
	}
	*m = *heard
	return ""
}

// hear changes the state as an event says, or tells why it cannot have happened.
func (m *model) hear(event string) string {
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

// clone is a model of its own.
func (m *model) clone() *model {
	c := *m
	c.execs = maps.Clone(m.execs)
	if c.execs == nil {
		c.execs = map[string]types.Status{}
	}
	return &c
}

// TestFaultyWalk is TestWalk on a machine whose calls fail or hang at random.
func TestFaultyWalk(t *testing.T) {
	seed := *walkSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d steps, seed %d", *walkSteps, seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	quiet(t)
	met := map[string]int{}
	walk := func(steps []step) (trouble string) {
		synctest.Test(t, func(t *testing.T) {
			w := newFrailWalker(t)
			trouble = w.walk(t, steps)
			for what, n := range w.met {
				met[what] += n
			}
		})
		return trouble
	}
	for taken := 0; taken < *walkSteps; taken += leg {
		steps := make([]step, min(leg, *walkSteps-taken))
		for i := range steps {
			steps[i] = randomStep(rng)
		}
		randomFaults(rng, steps)
		if trouble := walk(steps); trouble != "" {
			few, why := shrink(steps, walk)
			t.Fatalf("seed %d: %s\nthe shortest way there: %v\n%s", seed, trouble, few, why)
		}
	}
	t.Logf("%d pairs of a request and a fault were met", len(met))
}
