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

func TestRunGivesOutputAndExitCode(t *testing.T) {
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

// floods is how often TestFastExitLosesNothing runs its container; `make flood` asks for 200.
var floods = flag.Int("floods", 5, "runs of a container that prints 10 MiB and exits at once")

func TestFastExitLosesNothing(t *testing.T) {
	d := newDaemon(t)
	const size = 10 << 20
	var want bytes.Buffer
	if err := flood.Write(&want, size); err != nil {
		t.Fatal(err)
	}
	for range *floods {
		got := d.ctr(t, d.runArgs(t, workload.Spec("flood", "10485760"), newID(), "--rm")...)
		if got != want.String() {
			t.Fatalf("%d bytes arrived of %d, or others", len(got), size)
		}
	}
}

func TestArgumentsArriveByteForByte(t *testing.T) {
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

// TestInitPidIsTheProgramsOwn compares the pid that the program prints with the one that containerd lists.
func TestInitPidIsTheProgramsOwn(t *testing.T) {
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
	_ = cmd.Wait() // its code is the container's
	d.ctr(t, "container", "delete", id)
	d.nothingLeft(t)
}
