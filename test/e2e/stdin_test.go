package e2e

import (
	"bytes"
	"context"
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/workload"
)

// pipes is how often TestRun_PipedStdin_EndsWithAllBytes runs its container; 100 in `make pipes`.
var pipes = flag.Int("pipes", 3, "runs of a container whose stdin is a pipe")

// ctr run does not call CloseIO. It closes its pipe when its input ends, and the program reads the end of its input.
func TestRun_PipedStdin_EndsWithAllBytes(t *testing.T) {
	d := newDaemon(t)
	const size = 256 << 10
	words := string(bytes.Repeat([]byte("0123456789abcde\n"), size/16))
	for i := range *pipes {
		if r := d.pipeInto(t, words, workload.Spec("cat"), newID(), "--rm"); r.code != 0 || r.stdout != words {
			t.Fatalf("run %d: exit %d, %d of %d bytes came back: %s", i, r.code, len(r.stdout), size, r.stderr)
		}
	}
	d.nothingLeft(t)
}

// The input ends before the program has started.
func TestRun_EmptyStdin_Ends(t *testing.T) {
	d := newDaemon(t)
	if r := d.pipeInto(t, "", workload.Spec("cat"), newID(), "--rm"); r.code != 0 || r.stdout != "" {
		t.Errorf("exit %d, output %q: %s", r.code, r.stdout, r.stderr)
	}
	d.nothingLeft(t)
}

// ctr refuses a terminal if its streams are not a console. Nothing of the container remains.
func TestRun_TerminalWithoutConsole_IsRefused(t *testing.T) {
	d := newDaemon(t)
	s := workload.Spec("cat")
	s.Process.Terminal = true
	if r := d.pipeInto(t, "data", s, newID(), "--rm", "-t"); r.code == 0 || !strings.Contains(r.stderr, "console.Current") {
		t.Errorf("exit %d, %s%s; want that ctr finds no console", r.code, r.stdout, r.stderr)
	}
	if rows := strings.Count(d.list(t), "\n"); rows != 1 {
		t.Errorf("ctr task ls shows\n%s, want only the heading", d.list(t))
	}
	d.nothingLeft(t)
}

// pipeInto is ctr run with standard input.
func (d *daemon) pipeInto(t *testing.T, words string, s *specs.Spec, id string, flags ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := d.Ctr(ctx, d.runArgs(t, s, id, flags...)...)
	cmd.Stdin = strings.NewReader(words)
	return run(t, cmd)
}

// ctr is killed while it sends input. The program reads the end of its input a minute after ctr has exited; ctr cannot pass
// the shim's option for a shorter time.
func TestRun_KilledClient_EndsTheInput(t *testing.T) {
	d := newDaemon(t)
	id := newID()
	cmd := d.Ctr(t.Context(), d.runArgs(t, workload.Spec("cat"), id)...)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(input, "alive\n"); err != nil {
		t.Fatal(err)
	}
	var word string
	firstLine(t, cmd, &word)
	if row := d.row(t, id); len(row) < 3 || row[2] != "RUNNING" {
		t.Errorf("task ls shows %v, want RUNNING", row)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	d.awaitStopped(t, id)
	if r := d.try(t, "task", "delete", id); r.code != 0 {
		t.Errorf("task delete: exit %d, %s; want that the program ended with 0", r.code, r.stderr)
	}
	d.ctr(t, "container", "delete", id)
	d.nothingLeft(t)
}

func TestExec_Stdin_AllBytesArrive(t *testing.T) {
	d := newDaemon(t)
	id := d.detach(t, workload.Spec("sleep", "600"))
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	const size = 1 << 20
	words := bytes.Repeat([]byte("0123456789abcde\n"), size/16)
	cmd := d.Ctr(ctx, "task", "exec", "--exec-id", "cat", id, workload.Payload, "cat")
	cmd.Stdin = bytes.NewReader(words)
	r := run(t, cmd)
	if r.code != 0 || r.stdout != string(words) {
		t.Errorf("exit %d, %d of %d bytes came back: %s", r.code, len(r.stdout), size, r.stderr)
	}
	if r := d.try(t, "task", "exec", "--exec-id", "x", id, workload.Payload, "exit", "9"); r.code != 9 {
		t.Errorf("exec: exit %d, want 9: %s", r.code, r.stderr)
	}
	d.remove(t, id)
	d.nothingLeft(t)
}
