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

// containerExecSync checks output, exit codes, standard error and the time limit of an exec.
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
		t.Errorf("exec of a missing program: %+v", r)
	}
	n.refused(t, "DeadlineExceeded", "exec", "-s", "--timeout", "1", id, workload.Payload, "sleep", "600")
	n.saysHello(t, id)
	n.crictl(t, "stop", "--timeout", "0", id)
	n.drop(t, pod)
}

// containerExecStreams: containerd's streaming server carries the streams of a program, without a terminal.
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

// containerExecHeld: an exec ends with its program, also if the program leaves a process that keeps its output open. kubectl
// exec waits for the end of the streams, as both kinds of exec do here.
func containerExecHeld(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	id := n.start(t, pod, container("sleep", "600"), p)
	for _, args := range [][]string{{"exec", id}, {"exec", "-s", id}} {
		if r := n.try(t, append(args, workload.Payload, "holdout", "600")...); r.code != 0 || r.stderr != "" {
			t.Errorf("%s of holdout: %+v, want that it ends", strings.Join(args, " "), r)
		}
	}
	n.saysHello(t, id)
	n.crictl(t, "stop", "--timeout", "0", id)
	n.drop(t, pod)
}

// containerAttach: an attached client writes to init and reads its answer, which is in the log, too.
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
		t.Errorf("after the end of the input: %+v", s)
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

// containerAttachRestart: the input of a container continues after a restart of containerd, during which its pipe is missing.
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
		until(t, "the log has the input", func() bool { return n.try(t, "logs", id).stdout == want })
	}
	if s := n.inspect(t, id).Status; s.State != "CONTAINER_RUNNING" {
		t.Errorf("the container is %s, want that it still reads", s.State)
	}
	log, err := os.ReadFile(n.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("measured by the shim: %q", regexp.MustCompile(`pipe was missing for [\w.]+`).FindAll(log, -1))
	n.drop(t, pod)
}
