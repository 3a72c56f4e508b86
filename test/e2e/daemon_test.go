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

// runtime is the shim's name in containerd.
const runtime = "io.containerd.silo.v1"

// limit bounds one command. No command takes that long, also on a busy machine: one that reaches the limit hangs.
const limit = 10 * time.Minute

// daemon is a containerd.exe with the shim beside it.
type daemon struct {
	*testenv.Containerd
	wine *testenv.Env
	dir  string
}

// serial makes container ids unique.
var serial atomic.Int64

// newDaemon starts a containerd for one test, with env added to its environment. The test fails if a process remains.
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

// keep stops a containerd that has started with the test.
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
			return // and keep the files that may explain it
		}
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// explain logs the stacks of the shims and the daemon, and the end of containerd's log.
func (d *daemon) explain(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := d.wine.Command(ctx, workload.Payload, "stacks").CombinedOutput()
	t.Logf("requested stack dumps of %s shims and daemons: %v", bytes.TrimSpace(out), err)
	const tail = 64 << 10
	log, err := os.ReadFile(d.LogPath())
	t.Logf("end of containerd's log (%v):\n%s", err, log[max(0, len(log)-tail):])
}

// explainHang calls explain when half of the time is over, during a hang, unless over is called before.
func (d *daemon) explainHang(t *testing.T) (over func()) {
	done := make(chan struct{})
	timer := time.AfterFunc(limit/2, func() { d.explain(t); close(done) })
	return func() {
		if !timer.Stop() {
			<-done
		}
	}
}

// result is the output of a command and its exit code.
type result struct {
	stdout, stderr string
	code           int
	killed         syscall.Signal // the signal that ended it, so that the exit code is lost
}

// run runs a command and waits for its exit.
func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
	r := result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		r.killed = status.Signal()
	}
	return r
}

// try runs ctr and waits for its exit. ctr opens the daemon's pipe once before it connects, and does not wait for a free
// instance. If there was none, the daemon has received nothing, and the command is repeated.
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
		t.Fatalf("ctr %s: exit %d (signal %d)\n%s%s", strings.Join(args, " "), r.code, r.killed, r.stdout, r.stderr)
	}
	return r.stdout
}

// newID is a container id that is unique in this test environment: jobs are named after ids.
func newID() string { return fmt.Sprintf("c%d-%d", os.Getpid(), serial.Add(1)) }

// config writes a specification to a file for ctr.exe.
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

// detach starts a container in the background and removes it with the test.
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

// list is `ctr task ls`. Wine's server kills a program whose exit takes longer than a second, as happens on a busy machine,
// and its exit code is lost. A query is then repeated.
func (d *daemon) list(t *testing.T) string {
	t.Helper()
	r := d.try(t, "task", "ls")
	for r.killed != 0 {
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

// awaitStopped waits until `ctr task ls` has the task of a container as stopped.
func (d *daemon) awaitStopped(t *testing.T, id string) {
	t.Helper()
	until(t, "the task has stopped", func() bool { row := d.row(t, id); return len(row) > 2 && row[2] == "STOPPED" })
}

// nothingLeft fails the test if a process of this containerd remains.
func (d *daemon) nothingLeft(t *testing.T) {
	t.Helper()
	until(t, "no process remains", func() bool {
		rest, err := d.Processes()
		if err != nil {
			t.Fatal(err)
		}
		return len(rest) == 0
	})
}

// until polls a condition for which there is no event. The test fails at the limit.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	timeout := time.After(limit)
	for !holds() {
		select {
		case <-again.C:
		case <-timeout:
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}
