package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// tour runs the steps in order. After a failure the other steps do nothing.
type tour struct {
	ctx    context.Context
	wine   *testenv.Env
	daemon *testenv.Containerd
	dir    string
	err    error
}

const runtime = "io.containerd.silo.v1"

// walk runs all steps.
func (t *tour) walk() {
	events, stop := t.watch()
	defer stop()

	t.say("a container that prints a line and exits with code 7")
	t.wants(t.ctr(7, "run", "--rm", "--runtime", runtime, "--config", t.config("hello", "say", "7", "hello from a job container"), "hello"),
		"hello from a job container")
	t.say("ctr has exited with code 7")

	t.say("a container that runs: init and two descendants")
	t.ctr(0, "run", "-d", "--null-io", "--runtime", runtime, "--config", t.config("tree", "tree", "2", "600"), "tree")
	t.wants(t.ctr(0, "task", "ls"), `tree\s+\d+\s+RUNNING`)
	t.until("the process tree has three levels", func() bool {
		return strings.Count(t.quiet("task", "ps", "tree"), "\n") >= 4
	})
	t.wants(t.ctr(0, "task", "ps", "tree"), `(?s)PID.*\d+.*\d+.*\d+`)
	t.say("its metrics, from its job object")
	t.wants(t.ctr(0, "task", "metrics", "tree"), `(?i)(commit|private|memory)\D*[1-9]\d*`)
	t.say("a second program in it, with standard input")
	t.wants(t.feed("these words go in and come back\n", "task", "exec", "--exec-id", "cat", "tree", workload.Payload, "cat"),
		"these words go in and come back")

	t.say("the end: kill, delete, and a check that nothing remains")
	t.ctr(0, "task", "kill", "-s", "SIGKILL", "tree")
	t.until("the task has stopped", func() bool { return strings.Contains(t.quiet("task", "ls"), "STOPPED") })
	t.wants(t.ctr(0, "task", "delete", "tree"), `137`)
	t.ctr(0, "container", "delete", "tree")
	if rows := strings.Fields(t.ctr(0, "task", "ls")); t.err == nil && len(rows) != 3 {
		t.fail(fmt.Errorf("the task list is not empty: %v", rows[3:]))
	}
	t.nothingLeft()
	t.say("the events that containerd has published (ctr events)")
	t.wants(events(), `(?s)tasks/create.*tasks/start.*tasks/exec-started.*tasks/exit.*tasks/delete`)
}

func (t *tour) say(what string) {
	if t.err == nil {
		fmt.Printf("\n# %s\n", what)
	}
}

func (t *tour) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// config writes the specification of a container with the payload.
func (t *tour) config(name string, args ...string) string {
	path := filepath.Join(t.dir, name+".json")
	if err := workload.Write(path, workload.Spec(args...)); err != nil {
		t.fail(err)
	}
	return t.wine.WindowsPath(path)
}

// ctr prints a ctr command, runs it, prints its output, and checks its exit code.
func (t *tour) ctr(code int, args ...string) string { return t.run(code, nil, args) }

// feed is ctr with standard input.
func (t *tour) feed(stdin string, args ...string) string {
	return t.run(0, strings.NewReader(stdin), args)
}

func (t *tour) run(code int, stdin io.Reader, args []string) string {
	if t.err != nil {
		return ""
	}
	fmt.Println("$ ctr", strings.Join(args, " "))
	var out bytes.Buffer
	cmd := t.daemon.Ctr(t.ctx, args...)
	cmd.Stdin = stdin
	cmd.Stdout, cmd.Stderr = io.MultiWriter(os.Stdout, &out), io.MultiWriter(os.Stderr, &out)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.fail(err)
	} else if got := cmd.ProcessState.ExitCode(); got != code {
		t.fail(fmt.Errorf("ctr %s: exit code %d, want %d", args[0], got, code))
	} else if code != 0 {
		fmt.Printf("[exit code %d]\n", got)
	}
	return out.String()
}

// quiet runs ctr without printing the command.
func (t *tour) quiet(args ...string) string {
	out, err := t.daemon.Ctr(t.ctx, args...).CombinedOutput()
	if err != nil {
		t.fail(fmt.Errorf("ctr %s: %w\n%s", args[0], err, out))
	}
	return string(out)
}

// wants compares an output with a pattern.
func (t *tour) wants(out, pattern string) {
	if t.err == nil && !regexp.MustCompile(pattern).MatchString(out) {
		t.fail(fmt.Errorf("the output does not match %q", pattern))
	}
}

// until polls a condition for which there is no event.
func (t *tour) until(what string, holds func() bool) {
	ctx, cancel := context.WithTimeout(t.ctx, 10*time.Minute)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for t.err == nil && !holds() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.fail(fmt.Errorf("timed out waiting until %s", what))
		}
	}
}

// watch follows ctr events and returns them once the stream is stopped.
func (t *tour) watch() (seen func() string, stop func()) {
	var out bytes.Buffer
	cmd := t.daemon.Ctr(t.ctx, "events")
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.fail(err)
		return func() string { return "" }, func() {}
	}
	end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	return func() string { end(); fmt.Print(out.String()); return out.String() }, end
}

// nothingLeft shows that no descendant of containerd runs.
func (t *tour) nothingLeft() {
	var rest []testenv.Process
	t.until("no process is left", func() bool {
		var err error
		if rest, err = t.daemon.Processes(); err != nil {
			t.fail(err)
		}
		return len(rest) == 0
	})
	if t.err == nil {
		fmt.Println("processes left of all containers and their shims: 0")
	}
}
