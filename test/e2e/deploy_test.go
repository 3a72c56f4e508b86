package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/bed"
)

// TestContainerdReadsTheDropIn gives the drop-in of deploy/containerd to containerd and asks what it made of it.
func TestContainerdReadsTheDropIn(t *testing.T) {
	b := bed.Require(t)
	if v := os.Getenv(bed.DaemonKey); strings.HasPrefix(v, "1.") {
		t.Skipf("containerd %s reads no configuration of version 3", v)
	}
	text, err := os.ReadFile(filepath.Join(b.Root(), "deploy", "containerd", "silo.toml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "silo.toml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	main := "version = 3\nimports = ['" + b.WindowsPath(dir) + `\silo.toml']` + "\n"
	config := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(config, []byte(main), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	r := run(t, b.Command(ctx, b.Exe("containerd"), "--config", b.WindowsPath(config), "config", "dump"))
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	_, table, found := strings.Cut(r.stdout, "runtimes.silo]")
	if !found || !strings.Contains(table, "io.containerd.silo.v1") || !strings.Contains(table, "io.siloshim.*") {
		t.Errorf("the handler is not in what containerd reads:\n%s", r.stdout)
	}
}
