package e2e

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// sandboxImage is the image of pods, in the configuration of each version of containerd.
var sandboxImage = regexp.MustCompile(`(?m)^\s*sandbox(?:_image)? = ['"](.+)['"]$`)

// A person does this on a new node: containerd runs in its directory with the configuration that it prints, and
// silo install --edit changes that.
func TestSiloInstall_DefaultConfig_RunsContainersAndPods(t *testing.T) {
	wine := testenv.RequireCRI(t)
	p := newInstallation(t, wine)
	if r := p.install(t); r.code != 0 {
		t.Fatalf("install: exit %d: %s", r.code, r.stderr)
	}
	n := p.start(t)
	if got := n.ctr(t, n.runArgs(t, workload.Spec("print", "hello"), newID(), "--rm")...); strings.TrimSpace(got) != "hello" {
		t.Errorf("ctr run printed %q, want hello", got)
	}
	config := n.pod(t)
	pod := n.run(t, config)
	n.saysHello(t, n.start(t, pod, container("sleep", "600"), config))
	n.drop(t, pod)
	n.nothingLeft(t)
	if err := n.Kill(); err != nil { // it uses its directory until then
		t.Fatal(err)
	}
	if r := p.uninstall(t); r.code != 0 {
		t.Errorf("uninstall: exit %d: %s", r.code, r.stderr)
	}
	if err := os.RemoveAll(p.path("cni")); err != nil { // containerd makes it
		t.Fatal(err)
	}
	p.unchanged(t)
}

// newInstallation writes containerd and the configuration that it prints to containerd's default paths.
func newInstallation(t *testing.T, wine *testenv.Env) *prefix {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	p := &prefix{Env: wine, ctx: ctx, silo: buildSilo(t), dir: wine.UnixPath(testenv.InstallDir)}
	if err := os.RemoveAll(p.dir); err != nil { // of an interrupted test
		t.Fatal(err)
	}
	if err := os.Mkdir(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(p.dir); err != nil {
			t.Error(err)
		}
	})
	version := cmp.Or(os.Getenv(testenv.DaemonKey), testenv.Daemons[0])
	if err := os.Link(containerdExe(wine, version), p.path("containerd.exe")); err != nil {
		t.Fatal(err)
	}
	r := run(t, wine.Command(ctx, testenv.InstallDir+`\containerd.exe`, "config", "default"))
	if r.code != 0 {
		t.Fatalf("containerd config default: exit %d: %s", r.code, r.stderr)
	}
	p.config = r.stdout
	if err := os.WriteFile(p.path("config.toml"), []byte(p.config), 0o644); err != nil {
		t.Fatal(err)
	}
	p.before = p.files(t)
	return p
}

// start starts the containerd of an installation and imports the images of its pods.
func (p *prefix) start(t *testing.T) *node {
	t.Helper()
	c, err := p.Installed(p.ctx, "WINEGAP_DLLS="+p.WindowsPath(buildDLL(t, "vmcompute.dll", "dll/storage.c", "dll/image.c"))+`\`)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{keep(t, p.Env, c), testenv.SiloHandler}
	pause := sandboxImage.FindStringSubmatch(p.config)
	if pause == nil {
		t.Fatalf("the configuration has no sandbox image:\n%s", p.config)
	}
	archive := filepath.Join(n.dir, "images.tar")
	payload := map[string]string{"payload.exe": p.UnixPath(p.Exe("payload"))}
	err = testenv.WriteImages(archive,
		testenv.Image{Name: pause[1], OSVersion: testenv.OSVersion, Entrypoint: []string{workload.Payload, "sleep", "86400"}, Files: payload},
		testenv.Image{Name: image, OSVersion: testenv.OSVersion, Files: payload},
	)
	if err != nil {
		t.Fatal(err)
	}
	n.ctr(t, "-n", "k8s.io", "images", "import", "--all-platforms", p.WindowsPath(archive))
	return n
}
