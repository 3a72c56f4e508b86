package host

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/test/workload"
)

func TestJobContainer_Run_OutputAndExitCodeArrive(t *testing.T) {
	c, ctx := newContainerd(t)
	if got := c.must(ctx, t, c.run(t, workload.Spec("print", "hello"), newID(), "--rm")...); strings.TrimSpace(got) != "hello" {
		t.Errorf("stdout %q, want hello", got)
	}
	if r := c.ctr(ctx, c.run(t, workload.Spec("exit", "7"), newID(), "--rm")...); r.code != 7 {
		t.Errorf("exit code %d, want 7: %s", r.code, r.stderr)
	}
}

func TestJobContainer_Session_ExecMetricsPauseKill(t *testing.T) {
	c, ctx := newContainerd(t)
	id := newID()
	c.must(ctx, t, c.run(t, workload.Spec("sleep", "600"), id, "-d", "--null-io")...)
	if got := c.must(ctx, t, "task", "exec", "--exec-id", newID(), id, workload.Payload, "print", "inside"); strings.TrimSpace(got) != "inside" {
		t.Errorf("exec prints %q, want inside", got)
	}
	status, pid := c.status(ctx, t, id)
	if ps := c.must(ctx, t, "task", "ps", id); status != "RUNNING" || !strings.Contains(ps, pid) {
		t.Errorf("status %q, and pid %s must be among\n%s", status, pid, ps)
	}
	if metrics := c.must(ctx, t, "task", "metrics", id); !strings.Contains(metrics, "memory") {
		t.Errorf("no memory in the metrics:\n%s", metrics)
	}
	c.must(ctx, t, "task", "pause", id)
	if status, _ := c.status(ctx, t, id); status != "PAUSED" {
		t.Errorf("status %q, want PAUSED", status)
	}
	c.must(ctx, t, "task", "resume", id)
	c.must(ctx, t, "task", "kill", "-s", "SIGKILL", id)
	until(ctx, t, "the task has stopped", func() bool { status, _ := c.status(ctx, t, id); return status == "STOPPED" })
	c.remove(ctx, t, id)
	if runs(t, pid) {
		t.Errorf("process %s runs after its container was deleted", pid)
	}
}

func TestContainerd_Killed_TaskRunsAfterItsRestart(t *testing.T) {
	c, ctx := newContainerd(t)
	id := newID()
	c.must(ctx, t, c.run(t, workload.Spec("sleep", "600"), id, "-d", "--null-io")...)
	_, pid := c.status(ctx, t, id)
	c.kill()
	if !runs(t, pid) {
		t.Error("the program has ended with containerd")
	}
	c.start(ctx, t)
	if status, again := c.status(ctx, t, id); status != "RUNNING" || again != pid {
		t.Errorf("status %q of pid %s, want RUNNING of %s", status, again, pid)
	}
	c.remove(ctx, t, id)
}

// image returns the image of the environment, which containerd has pulled.
func image(t *testing.T) string {
	t.Helper()
	name := os.Getenv("SILO_HOST_IMAGE")
	if name == "" {
		t.Skip("SILO_HOST_IMAGE is not set; set it to an image for this host, such as mcr.microsoft.com/windows/nanoserver:ltsc2025")
	}
	return name
}

func TestImage_ServerAndJobContainer_RunItsPrograms(t *testing.T) {
	name := image(t)
	c, ctx := newContainerd(t)
	c.must(ctx, t, "images", "pull", name)
	for kind, flags := range map[string][]string{
		"Windows Server container": nil,
		"job container":            {"--annotation", "microsoft.com/hostprocess-container=true", "--annotation", "microsoft.com/hostprocess-inherit-user=true"},
	} {
		args := append([]string{"run", "--rm", "--runtime", runtime}, flags...)
		got := c.must(ctx, t, append(args, name, newID(), "cmd.exe", "/c", "echo", "hello")...)
		if strings.TrimSpace(got) != "hello" {
			t.Errorf("%s: stdout %q, want hello", kind, got)
		}
		if r := c.ctr(ctx, append(args, name, newID(), "cmd.exe", "/c", "exit", "7")...); r.code != 7 {
			t.Errorf("%s: exit code %d, want 7: %s", kind, r.code, r.stderr)
		}
	}
}

// runs reports whether a process runs.
func runs(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.ParseUint(pid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(n))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h) // it was only waited for
	event, err := windows.WaitForSingleObject(h, 0)
	if err != nil {
		t.Fatal(err)
	}
	return event == uint32(windows.WAIT_TIMEOUT)
}
