package e2e

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// TestContainerdRestartKeepsTheTask kills containerd.exe while a container runs.
func TestContainerdRestartKeepsTheTask(t *testing.T) {
	d := newDaemon(t)
	id := d.detach(t, workload.Spec("sleep", "600"))
	if err := d.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if row := d.row(t, id); len(row) < 3 || row[2] != "RUNNING" {
		t.Fatalf("task ls after the restart shows %v, want RUNNING", row)
	}
	if got := d.ctr(t, "task", "exec", "--exec-id", "e", id, workload.Payload, "print", "still", "here"); strings.TrimSpace(got) != "still here" {
		t.Errorf("exec after the restart printed %q", got)
	}
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	until(t, "the exit is seen", func() bool { row := d.row(t, id); return len(row) > 2 && row[2] == "STOPPED" })
	if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, "137") {
		t.Errorf("task delete says %q, want exit code 137", r.stderr)
	}
	d.nothingLeft(t)
}

// TestShimKilled ends the shim by its pid: the container goes with it and containerd cleans up.
func TestShimKilled(t *testing.T) {
	d := newDaemon(t)
	id := d.detach(t, workload.Spec("tree", "2", "600"))
	all, err := d.Processes()
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, p := range all {
		if strings.HasPrefix(p.Name(), "containerd-shim-silo-v1") {
			if err := p.Kill(); err != nil {
				t.Fatal(err)
			}
			killed++
		}
	}
	if killed != 1 {
		t.Fatalf("%d shims were there, want one: %v", killed, all)
	}
	d.nothingLeft(t)
	until(t, "containerd has cleaned up", func() bool {
		r := d.try(t, "task", "delete", "--force", id)
		return r.code == 0 || strings.Contains(r.stderr, "not found") || d.row(t, id) == nil
	})
	d.ctr(t, "container", "delete", id)
	if row := d.row(t, id); row != nil {
		t.Errorf("the task is still listed: %v", row)
	}
}

// TestReaderThatWentAway detaches without --null-io: ctr takes the pipes of the output with it.
func TestReaderThatWentAway(t *testing.T) {
	d := newDaemon(t)
	id := newID()
	d.ctr(t, d.runArgs(t, workload.Spec("tree", "1", "2"), id, "-d")...)
	until(t, "the task has stopped", func() bool { row := d.row(t, id); return len(row) > 2 && row[2] == "STOPPED" })
	d.remove(t, id)
	d.nothingLeft(t)
}

func TestExecCarriesStdin(t *testing.T) {
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
