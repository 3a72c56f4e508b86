package e2e

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// A setting of CRI, and a handler. An installation must keep both. containerd 1.7 has its default handlers only if
// config.toml has none, and serves no CRI without the default handler.
const (
	lineSize = "max_container_log_line_size = 4711"
	own      = "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runhcs-wcow-process]\n  runtime_type = \"io.containerd.runhcs.v1\"\n"
)

// nodes are possible configurations of a node, by the versions of containerd that read them, and the error of an
// installation that is refused.
var nodes = []struct{ name, daemons, config, refused string }{
	{"version 3", "2.", "version = 3\n[plugins.'io.containerd.cri.v1.runtime']\n  " + lineSize + "\n", ""},
	{"version 2", "", "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  " + lineSize + "\n" + own, ""},
	{"version 2 without handlers", "1.", "version = 2\n", "the default handler runhcs-wcow-process would be missing"},
}

// With each containerd of the test environment, silo installs and uninstalls the shim on a node. containerd reads the
// handlers and the node's previous configuration.
func TestSiloInstall_NodeConfig_InstalledAndRestored(t *testing.T) {
	wine := testenv.Require(t)
	silo := buildSilo(t)
	versions := testenv.Daemons
	if v := os.Getenv(testenv.DaemonKey); v != "" {
		versions = []string{v}
	}
	for _, version := range versions {
		daemon := containerdExe(wine, version)
		if _, err := os.Stat(daemon); err != nil {
			continue // "make daemons" builds the others
		}
		for _, node := range nodes {
			if !strings.HasPrefix(version, node.daemons) {
				continue
			}
			t.Run(version+", "+node.name, func(t *testing.T) {
				p := newPrefix(t, wine, silo, daemon, node.config)
				if node.refused == "" {
					p.installs(t)
				} else {
					p.refuses(t, node.refused)
				}
			})
		}
	}
}

// prefix is the directory of a containerd with its configuration.
type prefix struct {
	*testenv.Env
	ctx               context.Context
	silo, dir, config string
	before            []string // the files before the installation
}

func newPrefix(t *testing.T, wine *testenv.Env, silo, daemon, config string) *prefix {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	p := &prefix{Env: wine, ctx: ctx, silo: silo, dir: t.TempDir(), config: config}
	if err := os.WriteFile(p.path("config.toml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(daemon, p.path("containerd.exe")); err != nil {
		t.Fatal(err)
	}
	p.before = p.files(t)
	return p
}

func (p *prefix) path(name string) string { return filepath.Join(p.dir, name) }

func (p *prefix) files(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(p.dir, func(path string, _ fs.DirEntry, err error) error {
		list = append(list, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// install runs silo install; uninstall runs its reverse.
func (p *prefix) install(t *testing.T) result {
	t.Helper()
	return p.run(t, "install", "--edit", "--shim", p.Exe("containerd-shim-silo-v1"))
}

func (p *prefix) uninstall(t *testing.T) result {
	t.Helper()
	return p.run(t, "uninstall", "--force") // shims of other tests run
}

func (p *prefix) run(t *testing.T, args ...string) result {
	t.Helper()
	return run(t, p.Command(p.ctx, p.WindowsPath(p.silo), append(args, "--output", "json", "--prefix", p.WindowsPath(p.dir))...))
}

// unchanged fails the test if a file of silo remains or config.toml differs.
func (p *prefix) unchanged(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(p.before, p.files(t)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
	if text, err := os.ReadFile(p.path("config.toml")); err != nil || string(text) != p.config {
		t.Errorf("config.toml is %q, %v", text, err)
	}
}

func (p *prefix) installs(t *testing.T) {
	if r := p.install(t); r.code != 0 {
		t.Fatalf("install: exit %d: %s", r.code, r.stderr)
	}
	r := run(t, p.Command(p.ctx, p.WindowsPath(p.path("containerd.exe")), "--config", p.WindowsPath(p.path("config.toml")), "config", "dump"))
	for _, want := range []string{"runtimes.silo]", "io.containerd.silo.v1", "io.siloshim.*", "runtimes.runhcs-wcow-process]", lineSize} {
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("containerd reads no %s: exit %d\n%s\n%s", want, r.code, r.stdout, r.stderr)
		}
	}
	if _, err := os.Stat(p.path("containerd-shim-silo-v1.exe")); err != nil {
		t.Error(err)
	}
	if r := p.install(t); r.code != 0 || strings.TrimSpace(r.stdout) != "[]" {
		t.Errorf("installed twice: exit %d, it changed %s %s", r.code, r.stdout, r.stderr)
	}
	if r := p.uninstall(t); r.code != 0 {
		t.Errorf("uninstall: exit %d: %s", r.code, r.stderr)
	}
	p.unchanged(t)
}

func (p *prefix) refuses(t *testing.T, words string) {
	if r := p.install(t); r.code != 125 || !strings.Contains(r.stderr, words) {
		t.Errorf("exit %d, want 125 and %q: %s", r.code, words, r.stderr)
	}
	p.unchanged(t)
}

// containerdExe is the containerd.exe of a version.
func containerdExe(wine *testenv.Env, version string) string {
	name := "containerd-" + version
	if version == testenv.Daemons[0] {
		name = "containerd"
	}
	return wine.UnixPath(wine.Exe(name))
}

// buildSilo builds silo.exe.
func buildSilo(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "silo.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "no_grpc", "-o", exe, "../../cmd/silo")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build silo: %v\n%s", err, text)
	}
	return exe
}
