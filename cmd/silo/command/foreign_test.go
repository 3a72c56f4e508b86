package command_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// giveAway makes another user the owner of a path. On Windows, and without root, the test is skipped.
func giveAway(t *testing.T, path string) {
	t.Helper()
	if err := os.Lchown(path, 65534, 65534); err != nil {
		t.Skipf("this user cannot give files away: %v", err)
	}
}

func TestCleanup_ResourcesOfAnotherUser_AreNotReleased(t *testing.T) {
	w := newWorld(t)
	machine := new(containertest.Machine)
	w.app.Accounts = machine
	if err := machine.Create("administrator", "a password of 20 characters", "Administrators", ""); err != nil {
		t.Fatal(err)
	}
	if err := w.app.Node.Records.Write(record("trap", "")); err != nil {
		t.Fatal(err)
	}
	dir := w.app.Node.Records.Path("trap")
	text := `{"version":2,"id":"trap","resources":[{"kind":"account","name":"administrator"}]}`
	if err := os.WriteFile(filepath.Join(dir, "silo-resources.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	giveAway(t, dir)
	for _, args := range [][]string{{"cleanup", "--yes"}, {"rm", "trap"}} {
		if code := w.silo(t, args...); code == 0 || !strings.Contains(w.Stderr.String(), "another user owns it") {
			t.Errorf("silo %q: %d %s", args, code, &w.Stderr)
		}
	}
	if list, err := machine.List(); err != nil || len(list) != 1 {
		t.Errorf("accounts %v, %v, want that of the administrator", list, err)
	}
}

func TestRun_DirectoryLinkedByAnotherUser_TargetIsUnchanged(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { return 0 })
	victim := t.TempDir()
	for _, name := range []string{"stop.json", "output.log", "output.log.000001", "container.json"} {
		if err := os.WriteFile(filepath.Join(victim, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	state := w.app.Node.Records.Dir
	link := w.app.Node.Records.Path("web")
	if err := errors.Join(os.MkdirAll(state, 0o700), os.Symlink(victim, link)); err != nil {
		t.Skipf("this machine makes no links: %v", err)
	}
	giveAway(t, link)
	if code := w.silo(t, "run", "--name", "web", "--log", filepath.Join(link, "output.log"), "app.exe"); code != 125 || !strings.Contains(w.Stderr.String(), "another user owns it") {
		t.Errorf("%d %s", code, &w.Stderr)
	}
	entries, err := os.ReadDir(victim)
	if err != nil || len(entries) != 4 {
		t.Errorf("the directory behind the link has %v, %v", entries, err)
	}
	for _, e := range entries {
		if text, err := os.ReadFile(filepath.Join(victim, e.Name())); err != nil || string(text) != "mine" {
			t.Errorf("%s has %q, %v", e.Name(), text, err)
		}
	}
}

func TestStop_DirectoryLinkedByAnotherUser_NothingIsWritten(t *testing.T) {
	w := newWorld(t)
	victim := t.TempDir()
	link := w.app.Node.Records.Path("web")
	if err := errors.Join(os.MkdirAll(w.app.Node.Records.Dir, 0o700), os.Symlink(victim, link)); err != nil {
		t.Skipf("this machine makes no links: %v", err)
	}
	ids = append(ids, "silo/web")
	defer func() { ids = ids[:len(ids)-1] }()
	w.container(t, "silo/web")
	giveAway(t, link)
	if code := w.silo(t, "stop", "--grace", "1s", "web"); code == 0 || !strings.Contains(w.Stderr.String(), "another user owns it") {
		t.Errorf("%d %s", code, &w.Stderr)
	}
	if entries, err := os.ReadDir(victim); err != nil || len(entries) != 0 {
		t.Errorf("the directory behind the link has %v, %v", entries, err)
	}
}

// Where containerd is not installed, every user can make its directories.
func TestCleanup_BundleOfAnotherUser_IsNotReleased(t *testing.T) {
	w := newWorld(t)
	machine := new(containertest.Machine)
	w.app.Accounts = machine
	if err := machine.Create("administrator", "a password of 20 characters", "Administrators", ""); err != nil {
		t.Fatal(err)
	}
	w.app.Env = append(w.app.Env, "ProgramData="+w.dir)
	theirs := filepath.Join(w.dir, "containerd")
	bundle := filepath.Join(theirs, "state", "io.containerd.runtime.v2.task", "k8s.io", "trap")
	if err := errors.Join(
		os.MkdirAll(bundle, 0o755),
		os.WriteFile(filepath.Join(bundle, "silo-resources.json"), []byte(`{"version":2,"id":"trap","resources":[{"kind":"account","name":"administrator"}]}`), 0o600),
		os.WriteFile(filepath.Join(bundle, "address"), []byte(filepath.Join(w.dir, "gone")), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	giveAway(t, theirs)
	if code := w.silo(t, "cleanup", "--yes"); code == 0 || !strings.Contains(w.Stderr.String(), "another user owns it") {
		t.Errorf("%d %s%s", code, &w.Stdout, &w.Stderr)
	}
	if list, err := machine.List(); err != nil || len(list) != 1 {
		t.Errorf("accounts %v, %v, want that of the administrator", list, err)
	}
}
