package selftest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/selftest"
	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// machine is a simulated host that enforces every limit, and the workloads as its programs.
type machine struct {
	*jobtest.Kernel
	generous bool      // memory is given to those that try the limit
	burns    []float64 // processors that each burning workload gets

	codes  map[string]uint32 // exit codes in place of what a workload does
	hidden bool              // jobs are not listed
	pipes  map[string]bool   // names that are served
	lax    bool              // limits of processes, memory and the user interface are not kept, and affinities change
}

func newMachine() *machine {
	// Without a rate; under it; by weight; alone.
	m := &machine{Kernel: jobtest.New(), burns: []float64{8, 0.8, 0.8, 7, 1, 4}, codes: map[string]uint32{}, pipes: map[string]bool{}}
	m.Processors(8)
	m.Program("silo.exe", m.workload)
	return m
}

func (m *machine) host() *selftest.Host {
	job := node.JobName(node.Own, "selftest")
	return &selftest.Host{
		Kernel: laxKernel{m.Kernel, m}, Token: func(*token.Restriction) (*token.Token, error) { return nil, nil }, Listen: m.listen, Service: &hcs.Client{}, Processors: 8, Now: m.Now,
		Pause: func(_ context.Context, d time.Duration) error { m.Advance(d); return nil },
		Node: node.Node{Names: func() ([]string, error) {
			if _, ok := m.Limits(job); ok && !m.hidden {
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
	if code, planned := m.codes[args[0]]; planned {
		underWay()
		return code
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
	case "breakaway", "make", "open", "dial":
		return 9
	case "handles":
		return 3
	case "create":
		job, err := m.CreateJob(args[1], jobobject.DefaultSecurityDescriptor)
		if err != nil {
			return 1
		}
		underWay()
		_, _ = io.Copy(io.Discard, p.Stdin)
		if err := m.CloseHandle(job); err != nil {
			return 1
		}
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

// listen serves a pipe without clients.
func (m *machine) listen(name string) (net.Listener, error) {
	if m.pipes[name] && !m.lax {
		return nil, fs.ErrPermission
	}
	m.pipes[name] = true
	return &served{m: m, name: name, closed: make(chan struct{})}, nil
}

// served is a pipe.
type served struct {
	m      *machine
	name   string
	closed chan struct{}
}

func (p *served) Accept() (net.Conn, error) { <-p.closed; return nil, net.ErrClosed }
func (p *served) Addr() net.Addr            { return &net.UnixAddr{Name: p.name} }
func (p *served) Close() error {
	close(p.closed)
	delete(p.m.pipes, p.name)
	return nil
}

// laxKernel is a kernel that keeps its limits unless the machine is lax.
type laxKernel struct {
	*jobtest.Kernel
	m *machine
}

func (k laxKernel) SetLimits(h jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits, keepJobTime bool) error {
	if !k.m.lax {
		return k.Kernel.SetLimits(h, part, l, keepJobTime)
	}
	less := l.Clone()
	less.ActiveProcesses, less.JobMemory, less.UI, less.CPURate = 0, 0, 0, 0
	less.Affinity = []jobobject.GroupAffinity{{Mask: 4}}
	return errors.Join(k.Kernel.SetLimits(h, part, &less, keepJobTime), k.Kernel.SetLimits(h, jobobject.AffinityLimits, &less, keepJobTime))
}

func (k laxKernel) ProcessMemory(h jobobject.Handle) (jobobject.ProcessMemory, error) {
	memory, err := k.Kernel.ProcessMemory(h)
	if k.m.lax {
		memory.Commit, memory.WorkingSet = 1<<20, 1<<20
	}
	return memory, err
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

// unsimulated are trials that no simulated host can run: files of programs and the Host Compute Service are those of a real
// one.
var unsimulated = []string{
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

// waiting are trials that fail when the time of a trial is over, which is that of the real clock.
var waiting = []string{"a message is sent each time the job becomes empty", "a memory threshold is reported, and again once the report was read"}

// Each trial is broken on a machine that does not do what the trial is about.
func TestRun_EachTrial_CanFail(t *testing.T) {
	code := func(workload string, code uint32) func(*machine) {
		return func(m *machine) { m.codes[workload] = code }
	}
	fails := func(call string) func(*machine) {
		return func(m *machine) { m.Fail(call, -1, jobobject.ErrPermission) }
	}
	lax := func(m *machine) { m.lax = true }
	burns := func(m *machine) { m.burns = []float64{4, 4, 4, 4, 4, 4} }
	breaks := map[string]func(*machine){
		"the exit code is the program's": code("exit", 1), "a program starts in its job": code("inside", 9),
		"members of a job are listed, with or without the console host":                          fails("ProcessIDs"),
		"termination ends every process, and succeeds on an empty job":                           fails("TerminateJob"),
		"closing the last handle of a job ends its processes with exit code 0":                   fails("ExitCode"),
		"a console event reaches a program without a window":                                     code("event", 0),
		"no program leaves its job":                                                              code("breakaway", 0),
		"a job name can be used once":                                                            fails("CreateJob"),
		"limits read back are those that were set":                                               lax,
		"a process limit refuses one more process and ends none":                                 lax,
		"a memory limit refuses an allocation":                                                   lax,
		"a memory limit applies to a running program":                                            lax,
		"a refused allocation is reported":                                                       lax,
		"a processor rate limits two processes together":                                         func(m *machine) { lax(m); burns(m) },
		"processor weights share the machine":                                                    burns,
		"an affinity applies to children of children":                                            code("processors", 8),
		"a job can be paused and resumed":                                                        fails("Freeze"),
		"a memory limit leaves an affinity as it was":                                            lax,
		"an affinity cannot be removed, and can be changed":                                      lax,
		"a silo takes limits after it has become one":                                            lax,
		"a job with a member of another job takes limits, unless they are of the user interface": lax,
		"committed memory of a job is that of its program, and the peak stays":                   fails("MemoryUsage"),
		"the private working set is that of its program":                                         code("hold", 0),
		"storage traffic is counted":                                                             code("write", 0),
		"page faults and processes of a job are counted":                                         fails("Accounting"),
		"processor time of a job is that of its program":                                         fails("Accounting"),
		"jobs can be found by their name in the kernel":                                          func(m *machine) { m.hidden = true },
		"a program inherits three handles":                                                       code("handles", 4),
		"the memory of a process that has ended is zero":                                         lax,
		"a pipe name that is in use is refused":                                                  lax,
		"a plain user cannot open a job of the host":                                             code("open", 0),
		"a job that a plain user has made is not taken for that of a container":                  code("create", 0),
		"a plain user cannot open a pipe of the shim":                                            code("dial", 0),
		"a restricted token reaches the program":                                                 code("restricted", 9),
		"the integrity level of a token can be lowered":                                          code("integrity", 9),
		"a service account needs no password, as LocalSystem":                                    code("user", 9),
		"a directory bound into a silo is seen there alone":                                      code("find", 9),
		"a read-only directory is bound below another one, where the host has none":              code("make", 0),
		"a plain job is no silo":                                                                 fails("Silo"),
		"a job becomes a silo":                                                                   fails("CreateSilo"),
	}
	for name := range results(t, newMachine().host()) {
		broken := breaks[name]
		if broken == nil {
			if !slices.Contains(unsimulated, name) && !slices.Contains(waiting, name) {
				t.Errorf("%s: no machine breaks it", name)
			}
			continue
		}
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			m := newMachine()
			broken(m)
			if v := m.host().RunOne(t.Context(), name); v.Result != selftest.Broken {
				t.Errorf("%+v", v)
			}
		})
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
	if len(settled) < 30 {
		t.Errorf("%d rows are settled, want 30 at least", len(settled))
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
