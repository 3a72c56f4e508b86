package jobtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

// Bed is a kernel with the [Workload] on it.
type Bed struct {
	Kernel      jobobject.Kernel
	Application string   // path of the workload's image
	Env         []string // what the workload needs, KEY=VALUE

	complete bool // the kernel has all there is, so to skip is to fail
}

// Simulated is the bed of a new simulated kernel. The test fails if processes or
// handles are left at its end.
func Simulated(t testing.TB) Bed {
	t.Helper()
	k := New()
	k.Program("workload.exe", Workload)
	t.Cleanup(func() {
		k.Wait()
		if n := k.OpenHandles(); n != 0 {
			t.Errorf("%d handles left open", n)
		}
	})
	return Bed{Kernel: k, Application: `C:\bin\workload.exe`, complete: true}
}

// Real is the bed of this machine's kernel, with this very test binary as the
// workload: its TestMain must call [Main]. It skips where there are no jobs.
func Real(t testing.TB) Bed {
	t.Helper()
	job, err := jobobject.Create(jobobject.Options{})
	if errors.Is(err, jobobject.ErrNotSupported) {
		t.Skip("the kernel has no job objects")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Close(); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Bed{Kernel: jobobject.System(), Application: exe, Env: append(os.Environ(), workloadKey+"=1")}
}

// lacks skips the test when err says that the kernel has no such thing.
func (b Bed) lacks(t testing.TB, err error, what string) {
	t.Helper()
	if errors.Is(err, jobobject.ErrNotSupported) {
		b.skip(t, what, err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// skip ends the test for want of a capability, which is a failure where nothing
// may be wanting.
func (b Bed) skip(t testing.TB, what string, why any) {
	t.Helper()
	if b.complete {
		t.Fatalf("the simulated kernel lacks %s: %v", what, why)
	}
	t.Skipf("the kernel lacks %s: %v", what, why)
}

// needsEnforcement skips the test where the kernel knows of no notification
// limits, as every Windows since Server 2016 does. What takes limits without that
// is an imitation that keeps them and lets the processes go on.
func (b Bed) needsEnforcement(t testing.TB) {
	t.Helper()
	j := b.create(t, jobobject.Options{})
	b.lacks(t, j.SetNotificationLimits(jobobject.NotificationLimits{}), "the enforcement of limits")
}

// name is one that no other run uses.
func (b Bed) name(t testing.TB) string {
	return fmt.Sprintf("silo-jobtest-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
}

// create makes a job that the test's end closes.
func (b Bed) create(t testing.TB, o jobobject.Options) *jobobject.Job {
	t.Helper()
	o.Kernel = b.Kernel
	j, err := jobobject.Create(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// options describe the workload with args, none of which needs quotes.
func (b Bed) options(args ...string) jobobject.ProcessOptions {
	return jobobject.ProcessOptions{
		Application: b.Application,
		CommandLine: `"` + b.Application + `" ` + strings.Join(args, " "),
		Env:         b.Env,
	}
}

// start starts o in j; the test's end closes the process.
func start(t testing.TB, j *jobobject.Job, o jobobject.ProcessOptions) *jobobject.Process {
	t.Helper()
	p, err := j.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// wait returns the exit code of p.
func wait(t testing.TB, p *jobobject.Process) uint32 {
	t.Helper()
	code, err := p.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// pipe returns both ends of a pipe that the test's end closes.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

// output runs o to its end and returns what it wrote to stdout, and its code.
func output(t testing.TB, j *jobobject.Job, o jobobject.ProcessOptions) (string, uint32) {
	t.Helper()
	r, w := pipe(t)
	o.Stdout = w
	p := start(t, j, o)
	w.Close()
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), wait(t, p)
}

// tree is a running chain of workloads.
type tree struct {
	first *jobobject.Process
	pids  []uint32
	stdin *os.File // closing it ends them all
}

// startTree starts a chain of depth processes and returns when all are up.
func (b Bed) startTree(t testing.TB, j *jobobject.Job, depth int) tree {
	t.Helper()
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	o := b.options("tree", strconv.Itoa(depth))
	o.Stdin, o.Stdout = inR, outW
	p := start(t, j, o)
	inR.Close()
	outW.Close()
	made := tree{first: p, stdin: inW}
	lines := bufio.NewScanner(outR)
	for range depth {
		if !lines.Scan() {
			t.Fatalf("tree ended early: %v", lines.Err())
		}
		pid, err := strconv.ParseUint(lines.Text(), 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		made.pids = append(made.pids, uint32(pid))
	}
	return made
}

// wantMembers checks that the members of j are the processes of made, and on a
// kernel without console hosts nothing else.
func (b Bed) wantMembers(t testing.TB, j *jobobject.Job, made tree) {
	t.Helper()
	pids, err := j.Pids()
	if err != nil {
		t.Fatal(err)
	}
	if !b.counts(t, uint32(len(pids)), uint32(len(made.pids))) {
		t.Errorf("pids = %v, want %v", pids, made.pids)
	}
	for _, pid := range made.pids {
		if !slices.Contains(pids, pid) {
			t.Errorf("pids = %v, want %v", pids, made.pids)
		}
	}
}

// counts tells whether n processes are in order where want were started. A
// kernel may put the console host of a process into its job, too.
func (b Bed) counts(t testing.TB, n, want uint32) bool {
	t.Helper()
	return n == want || n > want && n <= 2*want && b.hasConsoleHosts(t)
}

// hasConsoleHosts finds out with a job that has one process of ours.
func (b Bed) hasConsoleHosts(t testing.TB) bool {
	t.Helper()
	j := b.create(t, jobobject.Options{KillOnClose: true})
	b.startTree(t, j, 1)
	pids, err := j.Pids()
	if err != nil {
		t.Fatal(err)
	}
	return len(pids) > 1
}
