package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// runtime is what containerd knows the shim by.
const runtime = "io.containerd.silo.v1"

// limit bounds one command. It is far above what any takes, also on a busy machine: a test that meets it has hung.
const limit = 10 * time.Minute

// daemon is a containerd.exe with the shim beside it.
type daemon struct {
	*testenv.Containerd
	wine *testenv.Env
	dir  string
}

// serial makes container ids unique.
var serial atomic.Int64

// newDaemon starts a containerd for one test, with env added to its environment. What the test leaves running is a
// failure.
func newDaemon(t *testing.T, env ...string) *daemon {
	t.Helper()
	wine := testenv.Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := wine.Containerd(ctx, fmt.Sprintf("e2e-%d-%d", os.Getpid(), serial.Add(1)), env...)
	if err != nil {
		t.Fatal(err)
	}
	return keep(t, wine, c)
}

// keep makes a containerd that has started a test's own.
func keep(t *testing.T, wine *testenv.Env, c *testenv.Containerd) *daemon {
	t.Helper()
	d := &daemon{Containerd: c, wine: wine, dir: t.TempDir()}
	t.Cleanup(func() {
		if t.Failed() {
			d.explain(t)
		}
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			return // with all that may tell why
		}
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// explain shows what a failed test leaves in the log: what the shims and the daemon do at this moment, too.
func (d *daemon) explain(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := d.wine.Command(ctx, workload.Payload, "stacks").CombinedOutput()
	t.Logf("stack dumps asked of %s shims and daemons: %v", bytes.TrimSpace(out), err)
	const tail = 64 << 10
	log, err := os.ReadFile(d.LogPath())
	t.Logf("end of containerd's log (%v):\n%s", err, log[max(0, len(log)-tail):])
}

// explainHang explains once half of the time is over, while what hangs still hangs, unless the function it returns is called.
func (d *daemon) explainHang(t *testing.T) (over func()) {
	done := make(chan struct{})
	timer := time.AfterFunc(limit/2, func() { d.explain(t); close(done) })
	return func() {
		if !timer.Stop() {
			<-done
		}
	}
}

// result is what a command printed and how it ended.
type result struct {
	stdout, stderr string
	code           int
	killed         bool // by a signal, before it could say its exit code
}

// run runs a command to its end.
func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), status.Signaled()}
}

// try runs ctr to its end, again where it came between two instances of the daemon's pipe: ctr looks whether it can
// open the pipe before it connects, and does not wait for a free instance. The daemon has not seen such a command.
func (d *daemon) try(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	defer d.explainHang(t)()
	for {
		r := run(t, d.Ctr(ctx, args...))
		if !strings.Contains(r.stderr, "Pipe busy.") {
			return r
		}
	}
}

// ctr runs ctr and fails the test unless it succeeds.
func (d *daemon) ctr(t *testing.T, args ...string) string {
	t.Helper()
	r := d.try(t, args...)
	if r.code != 0 {
		t.Fatalf("ctr %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// newID is a container id that no other test uses, of this run or of another on the same test environment: jobs are named after ids.
func newID() string { return fmt.Sprintf("c%d-%d", os.Getpid(), serial.Add(1)) }

// config writes a specification where ctr.exe finds it.
func (d *daemon) config(t *testing.T, s *specs.Spec) string {
	t.Helper()
	path := filepath.Join(d.dir, newID()+".json")
	if err := workload.Write(path, s); err != nil {
		t.Fatal(err)
	}
	return d.wine.WindowsPath(path)
}

// runArgs are the arguments of `ctr run` for a specification.
func (d *daemon) runArgs(t *testing.T, s *specs.Spec, id string, flags ...string) []string {
	t.Helper()
	args := append([]string{"run", "--runtime", runtime, "--config", d.config(t, s)}, flags...)
	return append(args, id)
}

// detach starts a container that lives on and removes it with the test.
func (d *daemon) detach(t *testing.T, s *specs.Spec) (id string) {
	t.Helper()
	id = newID()
	d.ctr(t, d.runArgs(t, s, id, "-d", "--null-io")...)
	return id
}

// remove kills and deletes a container.
func (d *daemon) remove(t *testing.T, id string) {
	t.Helper()
	d.ctr(t, "task", "delete", "--force", id)
	d.ctr(t, "container", "delete", id)
}

// list is `ctr task ls`. Wine's server kills a program that takes longer than a second to leave, as happens on a busy
// machine, and its exit code is lost; what only asks is asked again.
func (d *daemon) list(t *testing.T) string {
	t.Helper()
	r := d.try(t, "task", "ls")
	for r.killed {
		r = d.try(t, "task", "ls")
	}
	if r.code != 0 {
		t.Fatalf("ctr task ls: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// row finds the line of `ctr task ls` for a container, split into its columns.
func (d *daemon) row(t *testing.T, id string) []string {
	t.Helper()
	for line := range strings.Lines(d.list(t)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] == id {
			return fields
		}
	}
	return nil
}

// nothingLeft fails the test when a process of this containerd is still there.
func (d *daemon) nothingLeft(t *testing.T) {
	t.Helper()
	until(t, "no process is left", func() bool {
		rest, err := d.Processes()
		if err != nil {
			t.Fatal(err)
		}
		return len(rest) == 0
	})
}

// until polls for what no event tells. A test that reaches the limit has failed.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	give := time.After(limit)
	for !holds() {
		select {
		case <-again.C:
		case <-give:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
