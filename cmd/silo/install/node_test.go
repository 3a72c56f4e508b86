package install_test

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// echoKey makes the test's executable a program that says what it hears, and ends with its input.
const echoKey = "SILO_INSTALL_ECHO"

// beService makes it a service, if it was started as one; it is nil where there are none.
var beService func() bool

func TestMain(m *testing.M) {
	if beService != nil && beService() {
		return
	}
	if os.Getenv(echoKey) != "" {
		_, _ = io.Copy(os.Stdout, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

func TestFind_Service_TellsPrefixAndConfig(t *testing.T) {
	w := newWorld(t, v3)
	files := t.TempDir()
	t.Setenv("ProgramFiles", files)
	elsewhere := filepath.Join(t.TempDir(), "other.toml")
	for _, c := range []struct {
		exe, want string
		args      []string
	}{
		{"containerd.exe", elsewhere, []string{"--run-service", "--config", elsewhere}},
		{"containerd.exe", elsewhere, []string{"--run-service", "--config=" + elsewhere}},
		{"containerd.exe", elsewhere, []string{"-c", elsewhere, "--run-service"}},
		{"Containerd.EXE", filepath.Join(files, "containerd", "config.toml"), []string{"--run-service"}},
		{"wrapper.exe", w.config(), []string{"run", "containerd"}},
	} {
		w.service = install.Service{Exe: filepath.Join(w.prefix, c.exe), Args: c.args}
		n, err := install.Find(w.machine, install.Options{Service: "containerd"})
		if err != nil {
			t.Fatal(err)
		}
		if n.Prefix != w.prefix || n.Config != c.want {
			t.Errorf("%s %q: prefix %s, config %s, want %s", c.exe, c.args, n.Prefix, n.Config, c.want)
		}
	}
}

func TestFind_NoContainerd_ErrNotExist(t *testing.T) {
	w := newWorld(t, v3)
	if _, err := install.Find(w.machine, install.Options{Prefix: t.TempDir()}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want fs.ErrNotExist", err)
	}
}

// A shim that runs keeps its executable, while the next one is installed over it.
func TestInstall_ShimRuns_IsReplaced(t *testing.T) {
	w := newWorld(t, v3)
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	shim := filepath.Join(w.prefix, install.ShimName)
	if err := os.WriteFile(shim, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), shim)
	cmd.Env = append(os.Environ(), echoKey+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	say := func() {
		t.Helper()
		if _, err := io.WriteString(in, "still here\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := said.ReadString('\n'); err != nil || line != "still here\n" {
			t.Fatalf("the shim that runs says %q, %v", line, err)
		}
	}
	say()
	if _, err := w.install(t, install.Choices{Edit: true}); err != nil {
		t.Fatal(err)
	}
	say()
	if text, err := os.ReadFile(shim); err != nil || string(text) != "the shim" {
		t.Errorf("the new shim is not in place: %v", err)
	}
	if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
		t.Error(err)
	}
	if _, err := w.install(t, install.Choices{Edit: true}); err != nil {
		t.Fatal(err)
	}
	if left := w.node(t).Left(); len(left) > 0 {
		t.Errorf("left after its end: %v", left)
	}
}
