package command_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/install"
	"github.com/siloshim/siloshim/cmd/silo/node"
)

// busy is a machine with a service containerd that has a log, and with a shim and events.
type busy struct {
	daemon
	prefix string
	events func() (string, error)
}

func (b *busy) Service(string) (install.Service, error) {
	return install.Service{Exe: filepath.Join(b.prefix, "containerd.exe"), Args: []string{
		"--config", filepath.Join(b.prefix, "config.toml"), "--log-file", filepath.Join(b.prefix, "containerd.log"), "--run-service",
	}}, nil
}

func (b *busy) Processes(string) ([]uint32, error) { return []uint32{4711}, nil }

func (b *busy) Output(_ context.Context, exe string, args ...string) (string, error) {
	if !strings.Contains(exe, "wevtutil") || args[0] != "query-events" {
		return "", fmt.Errorf("unexpected %s %q", exe, args)
	}
	return b.events()
}

// canaries numbers the secrets that are put into the machine.
type canaries struct {
	n    int
	from map[string]string // where each was put
}

// put is a new secret.
func (c *canaries) put(place string) string {
	c.n++
	text := fmt.Sprintf("canary%04dx", c.n)
	c.from[text] = place
	return text
}

// newBusy makes a machine with a secret in each place from which a bundle takes something.
func newBusy(t *testing.T) (*world, *canaries) {
	t.Helper()
	w, c := newWorld(t), &canaries{from: map[string]string{}}
	b := &busy{prefix: filepath.Join(w.dir, "containerd")}
	b.events = func() (string, error) {
		return "Event[0]:\n  Source: containerd\n  pull https://user:" + c.put("address in an event") + "@registry.local/x: denied\n", nil
	}
	w.app.Containerd = b
	w.app.Env = []string{"ProgramData=" + w.dir, "TOKEN=" + c.put("environment of silo")}
	files := map[string]string{
		"containerd/containerd.exe":   "",
		"containerd/config.toml":      "version = 3\n[auth]\n  password = '" + c.put("password in config.toml") + "'\n  identitytoken = \"" + c.put("token in config.toml") + "\"\n",
		"containerd/conf.d/silo.toml": "# " + "api_key = " + c.put("comment in a drop-in") + "\n",
		"containerd/containerd.log": "level=info msg=\"goroutine 1 [running]\"\nlevel=debug msg=\"Authorization: Bearer " + c.put("header in the log") +
			"\"\nlevel=error args=[\"--db-password\",\"" + c.put("flag in the log") + "\"]\n",
		"out.log": "hello\nsecret=" + c.put("output of a container") + "\n",
	}
	spec := func(name string) string {
		doc, err := json.Marshal(map[string]any{
			"process": map[string]any{
				"env": []string{"PATH=C:\\bin", "HARMLESS=" + c.put(name+": environment")}, "args": []string{"app.exe", "--token", c.put(name + ": argument"), "--key-file", "k", "/password:" + c.put(name+": joined argument")},
				"commandLine": "app.exe --api-key " + c.put(name+": command line") + " --verbose",
			},
			"windows":     map[string]any{"credentialSpec": `{"CmsPlugins":"` + c.put(name+": credential spec") + `"}`},
			"annotations": map[string]string{"example.com/client-secret": c.put(name + ": annotation"), "io.siloshim.note": "token=" + c.put(name+": value of an annotation")},
		})
		if err != nil {
			t.Fatal(err)
		}
		return string(doc)
	}
	bundle := "containerd/state/io.containerd.runtime.v2.task/k8s.io/web/"
	files[bundle+"config.json"] = spec("config.json")
	files[bundle+"silo-resources.json"] = spec("resource record") // whatever it may have
	for name, text := range files {
		path := filepath.Join(w.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := record("mine", filepath.Join(w.dir, "out.log"))
	r.Warnings = []string{"user=x password=" + c.put("warning of a record")}
	r.Program = `C:\bin\app.exe`
	escaping := record("mine2", "")
	escaping.ID = "mine2"
	for _, r := range []*node.Record{r, escaping} {
		if err := w.app.Node.Records.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	// Another process may write a record whose id is a path.
	if err := os.WriteFile(filepath.Join(w.app.Node.Records.Path("mine2"), "container.json"), []byte(`{"kind":"run","id":"../../escape"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	w.container(t, "default/web")
	return w, c
}

// entries are the files of a zip file.
func entries(t *testing.T, name string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	all := map[string]string{}
	for _, f := range z.File {
		if !fs.ValidPath(f.Name) {
			t.Errorf("%q leaves the directory in which it is extracted", f.Name)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(text)
	}
	return all
}

func TestDoctor_Bundle_HasNoCanary(t *testing.T) {
	w, c := newBusy(t)
	bundle := filepath.Join(w.dir, "support.zip")
	code := w.silo(t, "doctor", "--bundle", bundle, "--bundle-output")
	if code > 1 {
		t.Fatalf("exit code %d: %s", code, &w.Stderr)
	}
	all := entries(t, bundle)
	for secret, place := range c.from {
		for name, text := range all {
			if strings.Contains(text, secret) || strings.Contains(name, secret) {
				t.Errorf("%s has the secret from %s:\n%s", name, place, text)
			}
		}
	}
	if c.n < 20 {
		t.Errorf("%d canaries, want 20 at least", c.n)
	}
	t.Logf("%d canaries, in none of %q", c.n, slices.Sorted(maps.Keys(all)))
}

func TestDoctor_Bundle_HasItsParts(t *testing.T) {
	w, _ := newBusy(t)
	bundle := filepath.Join(w.dir, "support.zip")
	if code := w.silo(t, "doctor", "--bundle", bundle, "--bundle-output"); code > 1 || !strings.Contains(w.Stderr.String(), "read it before you send it") {
		t.Fatalf("exit code %d: %s", code, &w.Stderr)
	}
	all := entries(t, bundle)
	for name, want := range map[string]string{
		"README.txt": "Read it before you send it", "version.json": `"revision"`, "doctor.json": "memory limit", "containers.json": `"id": "web"`,
		"records/mine.json": `C:\\bin\\app.exe`, "output/mine.log": "hello", "bundles/k8s.io/web/config.json": `"--key-file"`,
		"bundles/k8s.io/web/silo-resources.json": "PATH=(removed)", "containerd/config.toml": "version = 3", "containerd/silo.toml": "api_key = (removed)",
		"containerd.log": "goroutine 1 [running]", "events.txt": "registry.local/x: denied", "stacks.json": `"4711"`, "missing.json": "{",
	} {
		if !strings.Contains(all[name], want) {
			t.Errorf("%s has no %q:\n%s", name, want, all[name])
		}
	}
	if code := w.silo(t, "doctor", "--bundle", bundle); code != 125 || !strings.Contains(w.Stderr.String(), "choose another name") {
		t.Errorf("over an existing file: exit code %d: %s", code, &w.Stderr)
	}
	if code := w.silo(t, "doctor", "--bundle-output"); code != 125 || !strings.Contains(w.Stderr.String(), "--bundle") {
		t.Errorf("without --bundle: exit code %d: %s", code, &w.Stderr)
	}
}

func TestDoctor_BundleOfABareMachine_NamesWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	w.app.Containerd = new(daemon)
	t.Setenv("ProgramFiles", w.dir)
	bundle := filepath.Join(w.dir, "support.zip")
	if code := w.silo(t, "doctor", "--bundle", bundle); code > 1 {
		t.Fatalf("exit code %d: %s", code, &w.Stderr)
	}
	all := entries(t, bundle)
	var missing map[string]string
	if err := json.Unmarshal([]byte(all["missing.json"]), &missing); err != nil {
		t.Fatal(err)
	}
	if missing["containerd"] == "" || missing["bundles"] == "" {
		t.Errorf("missing %v, want containerd and bundles", missing)
	}
	if _, has := all["output/mine.log"]; has {
		t.Error("output without --bundle-output")
	}
}
