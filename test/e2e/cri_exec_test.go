package e2e

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// containerExecSync: output, exit codes, standard error and the limit of a program that is run in a container.
func containerExecSync(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	id := n.start(t, pod, container("sleep", "600"), p)
	exec := func(args ...string) result { return n.try(t, append([]string{"exec", "-s", id}, args...)...) }
	n.saysHello(t, id)
	if r := exec(workload.Payload, "exit", "7"); !strings.Contains(r.stderr, "exited with 7") {
		t.Errorf("exec of exit 7: %+v", r)
	}
	// crictl prints both streams on its standard output, one after the other.
	if r := exec(workload.Payload, "err", "sorry"); r.code != 0 || strings.TrimSpace(r.stdout) != "sorry" {
		t.Errorf("exec of err: %+v, want sorry", r)
	}
	if r := exec(`C:\no\such.exe`); r.code == 0 || !strings.Contains(r.stderr, "such.exe") {
		t.Errorf("exec of a program that is not there: %+v", r)
	}
	n.refused(t, "DeadlineExceeded", "exec", "-s", "--timeout", "1", id, workload.Payload, "sleep", "600")
	n.saysHello(t, id)
	n.crictl(t, "stop", "--timeout", "0", id)
	n.drop(t, pod)
}

// containerExecStreams: the streams of a program go through containerd's streaming server, without a terminal.
func containerExecStreams(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	id := n.start(t, pod, container("sleep", "600"), p)
	words := strings.Repeat("0123456789abcde\n", 1<<12)
	if r := n.feed(t, words, "exec", "-i", id, workload.Payload, "cat"); r.code != 0 || r.stdout != words {
		t.Errorf("exec of cat: exit %d, %d of %d bytes came back: %s", r.code, len(r.stdout), len(words), r.stderr)
	}
	if r := n.try(t, "exec", id, workload.Payload, "say", "5", "from inside"); strings.TrimSpace(r.stdout) != "from inside" || !strings.Contains(r.stderr, "exit code 5") {
		t.Errorf("exec of say: %+v, want its output and code 5", r)
	}
	if r := n.try(t, "exec", id, workload.Payload, "err", "sorry"); r.code != 0 || strings.TrimSpace(r.stderr) != "sorry" || r.stdout != "" {
		t.Errorf("exec of err: %+v, want sorry on standard error", r)
	}
	n.drop(t, pod)
}

// containerAttach: who attaches speaks to the init, and reads what it answers; the log has it, too.
func containerAttach(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	c := container("cat")
	c.Stdin, c.StdinOnce = true, true
	id := n.start(t, pod, c, p)
	if r := n.feed(t, "hello\n", "attach", "-i", id); r.code != 0 || r.stdout != "hello\n" {
		t.Errorf("attach: %+v, want hello", r)
	}
	if s := n.exited(t, id).Status; s.ExitCode != 0 {
		t.Errorf("after the end of its input: %+v", s)
	}
	if log := n.try(t, "logs", id).stdout; log != "hello\n" {
		t.Errorf("the log is %q, want hello", log)
	}
	n.drop(t, pod)
}

// feed runs crictl with standard input.
func (n *node) feed(t *testing.T, words string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := n.Crictl(ctx, args...)
	cmd.Stdin = bytes.NewReader([]byte(words))
	return run(t, cmd)
}

// containerAttachRestart: the input of a container outlives a restart of containerd, whose pipes are gone for a while.
func containerAttachRestart(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	c := container("cat")
	c.Stdin = true
	id := n.start(t, pod, c, p)
	want := ""
	for _, words := range []string{"before\n", "after one restart\n", "after two\n"} {
		if want != "" {
			if err := n.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want += words
		if r := n.feed(t, words, "attach", "-i", id); r.code != 0 {
			t.Errorf("attach: %+v", r)
		}
		until(t, "the log has what was typed", func() bool { return n.try(t, "logs", id).stdout == want })
	}
	if s := n.inspect(t, id).Status; s.State != "CONTAINER_RUNNING" {
		t.Errorf("the container is %s, want that it waits for more", s.State)
	}
	log, err := os.ReadFile(n.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("measured by the shim: %q", regexp.MustCompile(`pipe was missing for [\w.]+`).FindAll(log, -1))
	n.drop(t, pod)
}
