package testenv_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// The unmodified reference shim runs a job container in the test environment. So the test environment is not made to fit our
// shim only, and comparisons are possible.
func TestContainerd_ReferenceShim_RunsJobContainer(t *testing.T) {
	b := withPayload(t)
	if _, err := os.Stat(b.UnixPath(b.Exe("containerd-shim-runhcs-v1"))); err != nil {
		t.Skip("the reference shim is not built; run go run ./test/wine peers")
	}
	c := startContainerd(t, b, "WINEGAP=peer")
	layers := []string{`C:\silo\peer\base`, `C:\silo\peer\scratch`}
	for _, dir := range layers {
		if err := os.MkdirAll(b.UnixPath(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(specs.Spec{
		Version: specs.Version,
		Process: &specs.Process{
			Args: []string{b.Exe("payload"), "exit", "7"},
			Cwd:  `C:\`,
			User: specs.User{Username: `NT AUTHORITY\SYSTEM`},
		},
		Root: &specs.Root{},
		Annotations: map[string]string{
			"microsoft.com/hostprocess-container":    "true",
			"microsoft.com/hostprocess-inherit-user": "true",
		},
		Windows: &specs.Windows{LayerFolders: layers},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, text, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := c.Ctr(t.Context(), "run", "--rm", "--runtime", "io.containerd.runhcs.v1", "--config", b.WindowsPath(config),
		"peer").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("ctr run of \"exit 7\" ended with %v:\n%s", err, out)
	}
}
