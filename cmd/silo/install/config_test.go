package install

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const pattern = `C:\Program Files\containerd\conf.d\*.toml`

func TestAddImport(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "imports = ['" + pattern + "']\n",
		"version = 3\n[debug]\n":           "imports = ['" + pattern + "']\nversion = 3\n[debug]\n",
		"version = 3\nimports = []\n":      "version = 3\nimports = ['" + pattern + "', ]\n",
		"imports=[ # mine\n  'a.toml',\n]": "imports=['" + pattern + "',  # mine\n  'a.toml',\n]",
		"a = '''\nimports = [\n'''\nb = 1": "imports = ['" + pattern + "']\na = '''\nimports = [\n'''\nb = 1",
		"[a]\nimports = ['not', 'theirs']": "imports = ['" + pattern + "']\n[a]\nimports = ['not', 'theirs']",
	} {
		got, err := addImport(text, pattern)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
}

// What cannot be edited without a doubt is left to a person.
func TestAddImport_UnsafeEdit_Refused(t *testing.T) {
	for _, text := range []string{
		"\"imports\" = ['a.toml']\n",
		"a = '''\nimports = [\n'''\nimports = ['a']\n",
		"imports = 'a.toml'\n",
	} {
		if out, err := addImport(text, pattern); !errors.Is(err, errByHand) {
			t.Errorf("%q became %q: %v", text, out, err)
		}
	}
	if _, err := addImport("", `C:\it's\*.toml`); !errors.Is(err, errByHand) {
		t.Errorf("an apostrophe in a literal string: %v", err)
	}
}

func TestIsImported(t *testing.T) {
	dir := t.TempDir()
	for pattern, want := range map[string]bool{
		filepath.Join(dir, "conf.d", "*.toml"):    true,
		"conf.d/*.toml":                           true,
		filepath.Join(dir, "conf.d", "silo.toml"): true,
		filepath.Join(dir, "Conf.d", "Silo.toml"): true,
		filepath.Join(dir, "*.toml"):              false,
		"other/*.toml":                            false,
		"[":                                       false,
	} {
		doc := map[string]any{"imports": []any{pattern}}
		if got := isImported(doc, dir, filepath.Join(dir, "conf.d", "silo.toml")); got != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}

func TestRemoveBlock(t *testing.T) {
	for _, text := range []string{"version = 2\n", "", "# " + blockEnd, blockBegin} {
		added, err := addBlock(text, "[plugins.x]\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := removeBlock(added); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// FuzzImport: an edit is refused, or undone to the byte.
func FuzzImport(f *testing.F) {
	for _, text := range []string{"", "version = 3\n", "imports = ['x']", "imports = [\n]\n[a]\nb=1", "# imports = [\n", "a='''\nimports=['''"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		added, err := addImport(text, pattern)
		if err != nil {
			return
		}
		doc, err := parse(added)
		if err != nil || !slices.Contains(imports(doc), pattern) {
			t.Fatalf("%q became %q, which imports nothing of ours: %v", text, added, err)
		}
		if before, err := parse(text); err != nil || slices.Contains(imports(before), pattern) {
			return // Install adds none where there is one
		}
		if got, err := removeImport(added, pattern); err != nil || got != text {
			t.Errorf("%q became %q and then %q: %v", text, added, got, err)
		}
	})
}

// FuzzBlock: a configuration of version 2 is refused, or is as before when the block is removed.
func FuzzBlock(f *testing.F) {
	for _, text := range []string{"version = 2\n", "version = 2", "# " + blockEnd, blockBegin, blockEnd + blockBegin, "a = '''\n" + blockBegin, "[plugins.x]\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		added, err := addBlock(text, "[plugins.x]\na = 1\n")
		if err != nil {
			return
		}
		if got := removeBlock(added); got != text && got != text+"\n" {
			t.Errorf("%q became %q and then %q", text, added, got)
		}
	})
}

// FuzzHandlers: a configuration has handlers, or is refused. Both readers agree about its syntax.
func FuzzHandlers(f *testing.F) {
	for _, path := range []string{"../../../deploy/containerd/silo.toml", "../../../deploy/containerd/silo-1.7.toml"} {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("version = 3\nimports = 'x'\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\nruntimes = 1")
	f.Fuzz(func(t *testing.T, text string) {
		doc, docErr := parse(text)
		h, err := parseHandlers(text)
		if err == nil && docErr != nil || err != nil && len(h.Types) > 0 {
			t.Errorf("%q: %v; %v, %v", text, docErr, h, err)
		}
		if got := isImported(doc, "/etc/containerd", "/etc/containerd/conf.d/silo.toml"); got && len(imports(doc)) == 0 {
			t.Errorf("%q imports a file without a list", text)
		}
	})
}
