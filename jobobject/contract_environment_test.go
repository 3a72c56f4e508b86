package jobobject_test

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
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// environment is a kernel with [jobtest.Workload] on it.
type environment struct {
	kernel      jobobject.Kernel
	application string   // path of the workload's image
	env         []string // what the workload needs, KEY=VALUE
	complete    bool     // the kernel has every feature, so to skip is to fail
}

// simulated is an environment with a new simulated kernel. The test fails if
// handles are left open at its end.
func simulated(t testing.TB) environment {
	t.Helper()
	k := jobtest.New()
	k.Program("workload.exe", jobtest.Workload)
	t.Cleanup(func() {
		k.Wait()
		if n := k.OpenHandles(); n != 0 {
			t.Errorf("%d handles left open", n)
		}
	})
	return environment{kernel: k, application: `C:\bin\workload.exe`, complete: true}
}

// system is an environment with this machine's kernel. This test binary is the
// workload: its TestMain calls [jobtest.Main]. It skips where there are no jobs.
func system(t testing.TB) environment {
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
	return environment{kernel: jobobject.System(), application: exe, env: append(os.Environ(), jobtest.WorkloadEnv)}
}

// requires skips the test when err says that the kernel does not support feature.
func (e environment) requires(t testing.TB, err error, feature string) {
	t.Helper()
	if errors.Is(err, jobobject.ErrNotSupported) {
		e.skip(t, feature, err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// skip ends the test because the kernel does not support feature. It is a failure
// where the kernel is complete.
func (e environment) skip(t testing.TB, feature string, why any) {
	t.Helper()
	if e.complete {
		t.Fatalf("the simulated kernel does not support %s: %v", feature, why)
	}
	t.Skipf("the kernel does not support %s: %v", feature, why)
}

// requireEnforcement skips the test where the kernel has no notification limits.
// Windows has them since Server 2016. An emulator without them keeps limits and
// does not enforce them.
func (e environment) requireEnforcement(t testing.TB) {
	t.Helper()
	j := e.create(t, jobobject.Options{})
	e.requires(t, j.SetNotificationLimits(jobobject.NotificationLimits{}), "the enforcement of limits")
}

// name is one that no other run uses.
func (e environment) name(t testing.TB) string {
	return fmt.Sprintf("silo-jobtest-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
}

// create makes a job that the test's end closes.
func (e environment) create(t testing.TB, o jobobject.Options) *jobobject.Job {
	t.Helper()
	o.Kernel = e.kernel
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
func (e environment) options(args ...string) jobobject.ProcessOptions {
	return jobobject.ProcessOptions{
		Application: e.application,
		CommandLine: `"` + e.application + `" ` + strings.Join(args, " "),
		Env:         e.env,
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
func (e environment) startTree(t testing.TB, j *jobobject.Job, depth int) tree {
	t.Helper()
	made, lines := startPrinting(t, j, e.options("tree", strconv.Itoa(depth)), depth)
	for _, line := range lines {
		pid, err := strconv.ParseUint(line, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		made.pids = append(made.pids, uint32(pid))
	}
	return made
}

// startPrinting starts o with an open stdin and returns when it has printed so many lines.
func startPrinting(t testing.TB, j *jobobject.Job, o jobobject.ProcessOptions, lines int) (tree, []string) {
	t.Helper()
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	o.Stdin, o.Stdout = inR, outW
	p := start(t, j, o)
	inR.Close()
	outW.Close()
	var printed []string
	for out := bufio.NewScanner(outR); len(printed) < lines; printed = append(printed, out.Text()) {
		if !out.Scan() {
			t.Fatalf("the program ended early: %v", out.Err())
		}
	}
	return tree{first: p, stdin: inW}, printed
}

// wantMembers checks that the members of j are the processes of made, and on a
// kernel without console hosts nothing else.
func (e environment) wantMembers(t testing.TB, j *jobobject.Job, made tree) {
	t.Helper()
	pids, err := j.Pids()
	if err != nil {
		t.Fatal(err)
	}
	if !e.counts(t, uint32(len(pids)), uint32(len(made.pids))) {
		t.Errorf("pids = %v, want %v", pids, made.pids)
	}
	for _, pid := range made.pids {
		if !slices.Contains(pids, pid) {
			t.Errorf("pids = %v, want %v", pids, made.pids)
		}
	}
}

// counts reports whether n processes are in order where want were started. A
// kernel may put the console host of a process into its job, too.
func (e environment) counts(t testing.TB, n, want uint32) bool {
	t.Helper()
	return n == want || n > want && n <= 2*want && e.hasConsoleHosts(t)
}

// hasConsoleHosts finds out with a job that has one process of ours.
func (e environment) hasConsoleHosts(t testing.TB) bool {
	t.Helper()
	j := e.create(t, jobobject.Options{KillOnClose: true})
	e.startTree(t, j, 1)
	pids, err := j.Pids()
	if err != nil {
		t.Fatal(err)
	}
	return len(pids) > 1
}
