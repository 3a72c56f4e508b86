package install_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// machine is a machine with a containerd that reads configuration files as the real one does.
type machine struct {
	manager
	prefix   string
	since    time.Time
	restarts []string // what containerd knew after each
	shims    []uint32

	deaf     bool   // containerd does not see the handler
	fallback string // its default handler
	stuck    error
	service  install.Service
}

func (m *machine) Service(string) (install.Service, error) {
	if m.service.Exe == "" {
		return install.Service{}, fs.ErrNotExist
	}
	return m.service, nil
}

func (m *machine) Started(string) (time.Time, error)  { return m.since, nil }
func (m *machine) Processes(string) ([]uint32, error) { return m.shims, nil }

// begin is what containerd does at its start.
func (m *machine) begin() error {
	text, err := m.dump(filepath.Join(m.prefix, "config.toml"))
	if err != nil {
		return err
	}
	m.restarts = append(m.restarts, known(text))
	return m.stuck
}

// known is what containerd would know: the node's own runtime, and ours.
func known(text string) string {
	var list []string
	for _, name := range []string{"theirs", "io.containerd.silo.v1"} {
		if strings.Contains(text, name) {
			list = append(list, name)
		}
	}
	return strings.Join(list, " ")
}

func (m *machine) Output(_ context.Context, exe string, args ...string) (string, error) {
	if exe != filepath.Join(m.prefix, "containerd.exe") {
		return "", fs.ErrNotExist
	}
	if len(args) != 4 || args[0] != "--config" || args[2] != "config" || args[3] != "dump" {
		return "", fmt.Errorf("unexpected arguments %q", args)
	}
	if m.deaf {
		return "version = 3\n", nil
	}
	return m.dump(args[1])
}

// dump merges a configuration with its imports: tables of version 3 and later one by one. Those of version 2 go as they do in
// containerd 1.7 and 2.0: an import of version 2 has a plugin's section to itself, one of version 3 all of them.
func (m *machine) dump(path string) (string, error) {
	doc, err := read(path)
	if err != nil {
		return "", err
	}
	imports, _ := doc["imports"].([]any)
	for _, pattern := range imports {
		glob := pattern.(string)
		if !filepath.IsAbs(glob) {
			glob = filepath.Join(filepath.Dir(path), glob)
		}
		files, err := filepath.Glob(glob)
		if err != nil {
			return "", err
		}
		for _, file := range files {
			more, err := read(file)
			if err != nil {
				return "", err
			}
			old := doc["version"] == int64(2)
			if old && more["version"] != int64(2) {
				delete(doc, "plugins")
			}
			merge(doc, more, !old, 0)
		}
	}
	if m.fallback != "" {
		section := map[string]any{"containerd": map[string]any{"default_runtime_name": m.fallback}}
		merge(doc, map[string]any{"plugins": map[string]any{"io.containerd.cri.v1.runtime": section}}, true, 0)
	}
	out, err := toml.Marshal(doc)
	return string(out), err
}

func read(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	doc := map[string]any{}
	return doc, toml.Unmarshal(text, &doc)
}

func merge(to, from map[string]any, deep bool, level int) {
	for key, value := range from {
		below, isTable := value.(map[string]any)
		there, both := to[key].(map[string]any)
		if isTable && both && (deep || level == 0) {
			merge(there, below, deep, level+1)
			continue
		}
		to[key] = value
	}
}

// world is a machine, its directory and the shim to install.
type world struct {
	*machine
	shim string
}

// newWorld makes a machine with containerd and this configuration.
func newWorld(t *testing.T, config string) *world {
	t.Helper()
	w := &world{machine: &machine{prefix: t.TempDir(), since: time.Now().Add(time.Hour)}}
	w.add("containerd", &service{begin: w.begin})
	w.shim = filepath.Join(t.TempDir(), install.ShimName)
	write(t, w.shim, "the shim")
	write(t, filepath.Join(w.prefix, "containerd.exe"), "containerd")
	write(t, w.config(), config)
	return w
}

func (w *world) config() string  { return filepath.Join(w.prefix, "config.toml") }
func (w *world) pattern() string { return filepath.Join(w.prefix, "conf.d", "*.toml") }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w *world) node(t *testing.T) *install.Node {
	t.Helper()
	n, err := install.Find(w.machine, install.Options{Prefix: w.prefix, Service: "containerd"})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// install plans and applies.
func (w *world) install(t *testing.T, c install.Choices) ([]install.Change, error) {
	t.Helper()
	p, err := w.node(t).Install(w.shim, c)
	if err != nil {
		return nil, err
	}
	return p.Changes, p.Apply(t.Context())
}

func (w *world) uninstall(t *testing.T, c install.Choices) ([]install.Change, error) {
	t.Helper()
	p, err := w.node(t).Uninstall(c)
	if err != nil {
		return nil, err
	}
	return p.Changes, p.Apply(t.Context())
}

// files are all files and directories below the prefix, with their contents.
func (w *world) files(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(w.prefix, func(path string, d fs.DirEntry, err error) error {
		name, errRel := filepath.Rel(w.prefix, path)
		if err = errors.Join(err, errRel); err != nil || name == "." {
			return err
		}
		if d.IsDir() {
			found[filepath.ToSlash(name)+"/"] = ""
			return nil
		}
		text, err := os.ReadFile(path)
		found[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
