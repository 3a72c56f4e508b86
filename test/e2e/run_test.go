package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/payload/flood"
	"github.com/siloshim/siloshim/test/workload"
)

func TestRun_OutputAndExitCode_Arrive(t *testing.T) {
	d := newDaemon(t)
	if got := d.ctr(t, d.runArgs(t, workload.Spec("print", "hello"), newID(), "--rm")...); strings.TrimSpace(got) != "hello" {
		t.Errorf("stdout %q, want hello", got)
	}
	if r := d.try(t, d.runArgs(t, workload.Spec("err", "sorry"), newID(), "--rm")...); strings.TrimSpace(r.stderr) != "sorry" {
		t.Errorf("stderr %q, want sorry", r.stderr)
	}
	if r := d.try(t, d.runArgs(t, workload.Spec("exit", "7"), newID(), "--rm")...); r.code != 7 {
		t.Errorf("exit code %d, want 7\n%s", r.code, r.stderr)
	}
	d.nothingLeft(t)
}

// floods is how often TestRun_FastExit_AllOutputArrives runs its container; 200 in `make flood`.
var floods = flag.Int("floods", 5, "runs of a container that prints 10 MiB and exits at once")

func TestRun_FastExit_AllOutputArrives(t *testing.T) {
	d := newDaemon(t)
	const size = 10 << 20
	var want bytes.Buffer
	if err := flood.Write(&want, size); err != nil {
		t.Fatal(err)
	}
	for range *floods {
		got := d.ctr(t, d.runArgs(t, workload.Spec("flood", "10485760"), newID(), "--rm")...)
		if got != want.String() {
			t.Fatalf("%d bytes of %d arrived, or different ones", len(got), size)
		}
	}
}

func TestRun_Arguments_ArriveUnchanged(t *testing.T) {
	d := newDaemon(t)
	want := []string{
		"two words", `say "hi"`, "a&b", "a|b", "%PATH%", "^caret^", "", `back\slash\`, `tail\\"quote`, "Grüße 世界 🚢", "tab\there",
	}
	var got []string
	out := d.ctr(t, d.runArgs(t, workload.Spec(append([]string{"args"}, want...)...), newID(), "--rm")...)
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

// firstLine starts a command and reads the words of its first line.
func firstLine(t *testing.T, cmd *exec.Cmd, words ...any) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fscan(out, words...); err != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("%s: %v, %v: %s", strings.Join(cmd.Args, " "), err, cmd.Wait(), stderr.String())
	}
}

// The pid that the program prints is the one that containerd lists.
func TestRun_InitPid_IsTheProgramsPid(t *testing.T) {
	d := newDaemon(t)
	id := newID()
	cmd := d.Ctr(t.Context(), d.runArgs(t, workload.Spec("tree", "0", "600"), id)...)
	var depth, pid string
	firstLine(t, cmd, &depth, &pid)
	if row := d.row(t, id); len(row) < 3 || row[1] != pid || row[2] != "RUNNING" {
		t.Errorf("task ls shows %v, want pid %s, RUNNING", row, pid)
	}
	if ps := d.ctr(t, "task", "ps", id); !strings.Contains(ps, pid) {
		t.Errorf("init %s is not among\n%s", pid, ps)
	}
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	_ = cmd.Wait() // its exit code is the container's
	d.ctr(t, "container", "delete", id)
	d.nothingLeft(t)
}

// A program exits and leaves a process that keeps its output open. If the program was init, that process ends too. The
// process of an exec continues with the task and does not delay the exit of the exec.
func TestRun_GrandchildKeepsStdout_ExitIsNotDelayed(t *testing.T) {
	d := newDaemon(t)
	d.ctr(t, d.runArgs(t, workload.Spec("holdout", "600"), newID(), "--rm")...)
	d.nothingLeft(t)

	id := d.detach(t, workload.Spec("sleep", "600"))
	d.ctr(t, "task", "exec", "--exec-id", newID(), id, workload.Payload, "holdout", "600")
	if ps := d.ctr(t, "task", "ps", id); strings.Count(ps, "payload.exe") != 2 {
		t.Errorf("init and the process that the exec has left must run:\n%s", ps)
	}
	d.remove(t, id)
	d.nothingLeft(t)
}

// Without --null-io a detached ctr closes the pipes of the output when it exits.
func TestRun_ReaderCloses_ProgramEnds(t *testing.T) {
	d := newDaemon(t)
	id := newID()
	d.ctr(t, d.runArgs(t, workload.Spec("tree", "1", "2"), id, "-d")...)
	d.awaitStopped(t, id)
	d.remove(t, id)
	d.nothingLeft(t)
}
