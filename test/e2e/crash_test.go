package e2e

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// killShim kills the only shim of a containerd, and waits until containerd has removed its task.
func (d *daemon) killShim(t *testing.T, id string) {
	t.Helper()
	rest, err := d.Processes()
	if err != nil {
		t.Fatal(err)
	}
	shims := 0
	for _, p := range rest {
		if strings.Contains(p.Name(), "containerd-shim") {
			shims++
			if err := exec.CommandContext(t.Context(), "kill", "-9", strconv.Itoa(p.Pid)).Run(); err != nil {
				t.Error(err)
			}
		}
	}
	if shims != 1 {
		t.Fatalf("%d shims run, want 1", shims)
	}
	until(t, "the task is gone", func() bool { return len(d.row(t, id)) == 0 || d.row(t, id)[2] == "STOPPED" })
}

// removeAfterCrash deletes a container whose shim was killed, and waits until its resources are released.
func (d *daemon) removeAfterCrash(t *testing.T, id string) {
	t.Helper()
	d.try(t, "task", "delete", "--force", id) // it may not exist
	d.ctr(t, "container", "delete", id)
	d.nothingLeft(t)
	until(t, "no resource record remains", func() bool {
		left := 0
		_ = filepath.WalkDir(d.StateDir(), func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Name() == "silo-resources.json" && strings.Contains(path, id) {
				left++
			}
			return nil
		})
		return left == 0
	})
}

// The shim is killed by its pid: the container ends with it, and containerd cleans up.
func TestShim_Killed_TaskIsRemoved(t *testing.T) {
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

// The shim dies at a moment at which its container starts programs: none of them runs afterwards.
func TestShim_KilledWhileProgramsStart_NothingRuns(t *testing.T) {
	d := newDaemon(t)
	for range 20 {
		id := d.detach(t, workload.Spec("tree", "4", "600"))
		d.killShim(t, id)
		d.removeAfterCrash(t, id)
	}
}
