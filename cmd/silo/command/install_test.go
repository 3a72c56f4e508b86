package command_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// daemon is a containerd that believes every configuration.
type daemon struct {
	runs     bool
	restarts int
}

func (d *daemon) Service(string) (install.Service, error) { return install.Service{}, fs.ErrNotExist }
func (d *daemon) Started(string) (time.Time, error)       { return time.Time{}, nil }
func (d *daemon) Processes(string) ([]uint32, error)      { return nil, nil }
func (d *daemon) Dependents(string) ([]string, error)     { return nil, nil }

func (d *daemon) Status(string) (install.Status, error) {
	return install.Status{State: map[bool]install.State{true: install.Running}[d.runs]}, nil
}

func (d *daemon) Stop(string) error {
	if !d.runs {
		return install.ErrStopped
	}
	d.runs = false
	return nil
}

func (d *daemon) Start(string) error { d.runs = true; d.restarts++; return nil }

func (d *daemon) Output(context.Context, string, ...string) (string, error) {
	return "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.silo]\nruntime_type = 'io.containerd.silo.v1'\n", nil
}

// newNode is a machine with containerd, silo and the shim.
func newNode(t *testing.T) (*world, *daemon, string) {
	t.Helper()
	w, d := newWorld(t), new(daemon)
	prefix := filepath.Join(w.dir, "containerd")
	w.app.Containerd, w.app.Self = d, filepath.Join(w.dir, "silo.exe")
	if err := os.Mkdir(prefix, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(prefix, "containerd.exe"): "", filepath.Join(prefix, "config.toml"): "version = 3\n",
		filepath.Join(w.dir, install.ShimName): "the shim",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return w, d, prefix
}

func TestInstall(t *testing.T) {
	w, d, prefix := newNode(t)
	steps := []struct {
		args string
		code int
		want string
	}{
		{"install", 125, "--edit"},
		{"install --remove-on-exit", 125, "--wait"},
		{"install --edit --dry-run", 0, "create"},
		{"install --edit --dry-run --output json", 0, `"action": "edit"`},
		{"install --edit --restart", 0, "restart"},
		{"install --edit --restart --output json", 0, "[]"},
		{"uninstall --dry-run", 0, "remove"},
		{"uninstall", 0, "remove"},
		{"uninstall --output json", 0, "[]"},
	}
	for _, s := range steps {
		code := w.silo(t, append(strings.Fields(s.args), "--prefix", prefix)...)
		if said := w.Stdout.String() + w.Stderr.String(); code != s.code || !strings.Contains(said, s.want) {
			t.Errorf("silo %s: %d, want %d and %q:\n%s", s.args, code, s.code, s.want, said)
		}
	}
	if d.restarts != 1 {
		t.Errorf("containerd was restarted %d times, want once", d.restarts)
	}
}

// The main process of the DaemonSet waits until it is stopped, and then removes what it has installed.
func TestInstall_WaitRemoveOnExit_UninstallsAtTheEnd(t *testing.T) {
	w, _, prefix := newNode(t)
	shim := filepath.Join(prefix, install.ShimName)
	ctx, cancel := context.WithCancel(t.Context())
	w.app.Stderr = heard(func(text string) {
		if !strings.Contains(text, "waiting") {
			return
		}
		if _, err := os.Stat(shim); err != nil {
			t.Errorf("it waits, and the shim is not there: %v", err)
		}
		cancel()
	})
	if code := w.app.Main(ctx, "silo", []string{"install", "--edit", "--wait", "--remove-on-exit", "--prefix", prefix}); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if ctx.Err() == nil {
		t.Error("it did not wait")
	}
	if _, err := os.Stat(shim); err == nil {
		t.Error("the shim is still there")
	}
}

// heard is called with what is written.
type heard func(string)

func (f heard) Write(p []byte) (int, error) { f(string(p)); return len(p), nil }
