package selftest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/selftest"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// machine is a simulated host that enforces every limit, and the workloads as its programs.
type machine struct {
	*jobtest.Kernel
	generous bool      // memory is given to those that try the limit
	burns    []float64 // processors that each burning workload gets
}

func newMachine() *machine {
	// Without a rate; under it; by weight; alone.
	m := &machine{Kernel: jobtest.New(), burns: []float64{8, 0.8, 0.8, 7, 1, 4}}
	m.Processors(8)
	m.Program("silo.exe", m.workload)
	return m
}

func (m *machine) host() *selftest.Host {
	job := node.JobName(node.Own, "selftest")
	return &selftest.Host{
		Kernel: m.Kernel, Service: &hcs.Client{}, Processors: 8, Now: m.Now,
		Pause: func(_ context.Context, d time.Duration) error { m.Advance(d); return nil },
		Node: node.Node{Names: func() ([]string, error) {
			if _, ok := m.Limits(job); ok {
				return []string{`\BaseNamedObjects\silo/silo/selftest`}, nil
			}
			return nil, nil
		}},
		Workload: func(args []string) (jobobject.ProcessOptions, error) {
			return jobobject.ProcessOptions{CommandLine: "silo.exe workload " + strings.Join(args, " ")}, nil
		},
	}
}

func (m *machine) workload(p *jobtest.Proc) uint32 {
	args := append(p.Args[2:], "", "")
	n, _ := strconv.ParseUint(args[1], 10, 32)
	underWay := func() { _, _ = io.WriteString(p.Stdout, "under way\n") }
	take := func() uint32 {
		if m.generous && args[0] != "hold" || p.Commit(n<<20) {
			p.PrivateWorkingSet(n << 20)
			return 0
		}
		return 9
	}
	switch args[0] {
	case "exit":
		p.Use(0, 0, 5)
		return uint32(n)
	case "event":
		heard := p.Events()
		underWay()
		select {
		case <-heard:
			return 9
		case <-p.Done():
		}
		return 0
	case "alloc":
		return take()
	case "grow", "hold":
		code := uint32(0)
		if args[0] == "hold" {
			code = take()
		}
		underWay()
		_, _ = io.Copy(io.Discard, p.Stdin)
		if args[0] == "grow" {
			code = take()
		}
		return code
	case "write":
		p.Transfer(jobobject.IOAttribution{WriteCount: 10, WriteBytes: 10 << 20})
	case "breakaway":
		return 9
	case "processors":
		return 1
	case "burn", "idle":
		if args[0] == "burn" {
			p.Busy(m.burns[0], 0)
			m.burns = m.burns[1:]
		}
		underWay()
		<-p.Done()
	}
	return 0
}

// results are the results by trial.
func results(t *testing.T, h *selftest.Host) map[string]selftest.Verdict {
	t.Helper()
	all := map[string]selftest.Verdict{}
	for _, v := range h.Run(t.Context()) {
		all[v.Trial] = v
		if v.Result != selftest.Kept && v.Why == "" {
			t.Errorf("%s: %s, without a reason", v.Trial, v.Result)
		}
	}
	return all
}

// unsimulated are trials that no simulated host can run: tokens, files of programs and the Host Compute Service are those
// of a real one.
var unsimulated = []string{
	"a restricted token reaches the program", "the integrity level of a token can be lowered", "a service account needs no password, as LocalSystem",
	"the Host Compute Service can be called", "a file deleted on close keeps its directory, and goes when its program is terminated",
}

func TestRun_SimulatedKernel_EveryTrialKept(t *testing.T) {
	m := newMachine()
	for name, v := range results(t, m.host()) {
		if v.Result != selftest.Kept && !slices.Contains(unsimulated, name) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	m.Wait()
	if n := m.OpenHandles(); n != 0 {
		t.Errorf("%d handles are left open", n)
	}
}

// TestRun_LimitsNotEnforced_BrokenOrSkipped: on Windows such a trial is broken, on an emulation it is skipped.
func TestRun_LimitsNotEnforced_BrokenOrSkipped(t *testing.T) {
	for emulation, want := range map[string]string{"": selftest.Broken, "Wine 8.0": selftest.Skipped} {
		m := newMachine()
		m.generous, m.burns = true, []float64{4, 4, 4, 4, 4, 4}
		h := m.host()
		h.Emulation = emulation
		all := results(t, h)
		for _, name := range []string{
			"a memory limit refuses an allocation", "a memory limit applies to a running program", "a refused allocation is reported",
			"processor weights share the machine",
		} {
			if all[name].Result != want {
				t.Errorf("%q: %+v, want %s", emulation, all[name], want)
			}
		}
	}
}

func TestRun_BusyMachine_RateTrialSkipped(t *testing.T) {
	m := newMachine()
	m.burns = []float64{1, 7, 1, 4}
	if v := results(t, m.host())["a processor rate limits two processes together"]; v.Result != selftest.Skipped {
		t.Errorf("%+v, want %s", v, selftest.Skipped)
	}
}

func TestRun_UnsupportedCalls_Skipped(t *testing.T) {
	m := newMachine()
	m.Fail("CreateSilo", -1, jobobject.ErrNotSupported)
	m.Fail("Freeze", -1, jobobject.ErrNotSupported)
	m.Fail("TerminateJob", -1, jobobject.ErrPermission)
	all := results(t, m.host())
	for name, want := range map[string]string{
		"a job becomes a silo": selftest.Skipped, "a job can be paused and resumed": selftest.Skipped,
		"termination ends every process, and succeeds on an empty job": selftest.Broken,
	} {
		if all[name].Result != want {
			t.Errorf("%s: %+v, want %s", name, all[name], want)
		}
	}
}

func TestRun_Settles_RowsOfUnproved(t *testing.T) {
	text, err := os.ReadFile("../../../docs/unproved.md")
	if err != nil {
		t.Fatal(err)
	}
	proved, err := os.ReadFile("../../../docs/evidence.md") // make evidence moves rows that held there
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, proved...)
	settled := map[string]bool{}
	for _, v := range results(t, newMachine().host()) {
		for _, row := range v.Settles {
			settled[row] = true
			if !regexp.MustCompile(fmt.Sprintf(`(?m)^\| %s \|`, row)).Match(text) {
				t.Errorf("%s: no row %s in docs/unproved.md or docs/evidence.md", v.Trial, row)
			}
		}
	}
	if len(settled) < 15 {
		t.Errorf("%d rows are settled, want 15 at least", len(settled))
	}
}

func TestWorkload_Unknown_Refused(t *testing.T) {
	for _, args := range [][]string{nil, {"frobnicate"}} {
		if _, err := selftest.Workload(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
	if code, err := selftest.Workload([]string{"exit", "7"}); code != 7 || err != nil {
		t.Errorf("exit 7: %d, %v", code, err)
	}
}
