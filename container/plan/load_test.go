package plan

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/sparse"
)

func bundle(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoad_ValidConfig_IsRead(t *testing.T) {
	s, err := Load(bundle(t, `{"ociVersion":"1.1.0","process":{"args":["a.exe"],"cwd":"C:\\"},"annotations":{"a":"b"},"windows":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Process.Args[0] != "a.exe" || s.Annotations["a"] != "b" || s.Windows == nil {
		t.Errorf("loaded %+v", s)
	}
	if _, err := Load(bundle(t, "\uFEFF"+`{"process":{"args":["a.exe"]}}`)); err != nil {
		t.Errorf("a byte order mark: %v", err)
	}
	if _, err := Load(bundle(t, `{"process":{"commandLine":"a.exe"}}`)); err != nil {
		t.Errorf("a command line without args: %v", err)
	}
}

func TestLoad_InvalidConfig_NamesFieldOrOffset(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"empty", ``, "malformed JSON at byte 0"},
		{"cut short", `{"process":{`, "malformed JSON at byte 12"},
		{"not JSON", `{process:1}`, "malformed JSON at byte 2"},
		{"text behind it", `{"process":{"args":["a"]}} x`, "malformed JSON at byte 28"},
		{"wrong type", `{"process":{"args":"secret"}}`, "process.args at byte 27: a JSON string cannot be a []string"},
		{"a number for a word", `{"process":{"cwd":4711}}`, "process.cwd at byte 22: a JSON number cannot be a string"},
		{"cut off UTF-16", "\xFF\xFE{", "config.json: the file is UTF-16"},
		{"no process", `{}`, "process is missing"},
		{"no args", `{"process":{"cwd":"C:\\"}}`, "process.args is empty"},
		{"too large", strings.Repeat(" ", maxConfig+1), "config.json: 8388609 bytes or more, and the limit is 8388608"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(bundle(t, tt.config))
			if !errors.Is(err, errdefs.ErrInvalidArgument) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want an invalid argument with %q", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "4711")) {
				t.Errorf("error %v repeats a value", err)
			}
		})
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, errdefs.ErrInvalidArgument) || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("without a config.json: %v", err)
	}
}

// everything is a container that has every file.
type everything struct{}

func (everything) IsFile(string) bool   { return true }
func (everything) IsDir(string) bool    { return true }
func (everything) MakeDir(string) error { return nil }

// FuzzLoad: any config.json gives a plan or an error, and no panic.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"process":{"args":["a.exe"],"cwd":"C:\\","env":["A=1"]},"annotations":{"microsoft.com/hostprocess-container":"true","microsoft.com/hostprocess-inherit-user":"true"},"windows":{"resources":{"cpu":{"count":1}}}}`))
	f.Add([]byte(`{"process":{"commandLine":"\"a b\" c","cwd":"\\\\?\\C:\\"},"root":{"path":"C:\\hpc"},"windows":{}}`))
	f.Add([]byte(`{"process":{"args":["%CONTAINER_SANDBOX_MOUNT_POINT%\\a"]},"mounts":[{"source":"C:\\a","destination":"/b"}],"annotations":{"microsoft.com/hostprocess-container":"true","microsoft.com/hostprocess-inherit-user":"true"},"windows":{"layerFolders":["C:\\1","C:\\s"]}}`))
	h := Machine{Lookup: func(string) bool { return true }, Processors: 1, Root: `C:\Windows`, Resolve: func(path string) (string, error) { return path, nil }}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decode(data)
		if err != nil {
			return
		}
		j, err := h.HostProcess("c", s, nil)
		if err != nil {
			return
		}
		application, dir, err := j.Process.Search.In(everything{}, j.Process.Env)
		if err != nil || application == "" || j.Process.CommandLine == "" || !isAbs(dir) {
			t.Errorf("an incomplete plan: %+v, %v", j.Process, err)
		}
	})
}

// fixtures adds the specifications of other tests.
func fixtures(f *testing.F) {
	paths, err := filepath.Glob("../../cmd/silo/command/testdata/*.json")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no specifications: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// FuzzContainer: any config.json gives a container of one kind or an error, as a Create does.
func FuzzContainer(f *testing.F) {
	fixtures(f)
	f.Add([]byte("\xFF\xFE{\x00}\x00"))
	f.Add([]byte(`{"process":{"args":["a"]},"annotations":{"io.kubernetes.cri.container-type":"sandbox","microsoft.com/hostprocess-container":"true","io.siloshim.stop-grace":"30s","io.siloshim.stop-signal":"CTRL_C"}}`))
	h := isolated()
	h.Lookup = func(string) bool { return true }
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		joined := 0
		c, err := h.Container(Request{ID: "c", Bundle: dir, Join: func(m Member) (Additions, error) { joined++; return Additions{}, nil }})
		if err != nil {
			return
		}
		if joined != 1 || c.Init == nil || c.HostProcess != nil && c.WCOW != nil || c.Stop.Grace < 0 {
			t.Errorf("joined %d times: %+v", joined, c)
		}
		if _, err := Annotations(dir); err != nil {
			t.Errorf("the annotations: %v", err)
		}
	})
}

// FuzzExec: any process.json gives a process of either kind of container or an error.
func FuzzExec(f *testing.F) {
	for _, seed := range []string{
		`{"args":["a.exe","b c"],"cwd":"C:\\","env":["A=1","=C:=C:\\"],"user":{"username":"u"}}`, `{"commandLine":"\"a b\" c","cwd":"/x","terminal":true,"consoleSize":{"width":80,"height":25}}`,
		`{"args":["%CONTAINER_SANDBOX_MOUNT_POINT%\\a"],"consoleSize":{"width":65536,"height":1}}`, `{"args":[""],"cwd":"x"}`, `null`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	h := isolated()
	h.Lookup = func(string) bool { return true }
	spec := func(hostProcess bool) *specs.Spec {
		s := &specs.Spec{Process: &specs.Process{Args: []string{"a.exe"}, Cwd: `C:\`}, Windows: &specs.Windows{LayerFolders: []string{`C:\1`, `C:\s`}}}
		if hostProcess {
			s.Windows.LayerFolders = nil
			s.Annotations = map[string]string{"microsoft.com/hostprocess-container": "true", "microsoft.com/hostprocess-inherit-user": "true"}
		}
		return s
	}
	j, err := h.HostProcess("c", spec(true), nil)
	if err != nil {
		f.Fatal(err)
	}
	w, err := h.WCOW("c", spec(false), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p specs.Process
		if json.Unmarshal(data, &p) != nil {
			return
		}
		for name, c := range map[string]*Container{"hostprocess": {HostProcess: j}, "wcow": {WCOW: w}} {
			got, err := c.Exec(&p)
			if err != nil {
				continue
			}
			if got.CommandLine == "" || strings.ContainsRune(got.CommandLine, 0) || utf16Len(got.CommandLine) >= maxText || got.Terminal && (got.Width == 0 || got.Height == 0) {
				t.Errorf("%s: an incomplete plan: %+v", name, got)
			}
		}
	})
}

// FuzzLayers: the options of a mount give layers that are complete, or an error.
func FuzzLayers(f *testing.F) {
	f.Add("windows-layer", `parentLayerPaths=["C:\\1","C:\\2"]`)
	f.Add("CimFS", "parentCimPaths=[\"C:\\\\a.cim\"]\nblockCIMType=device\nmergedCIMPath=x")
	f.Add("windows-layer", "parentLayerPaths=null\nro")
	f.Fuzz(func(t *testing.T, kind, options string) {
		var l Layers
		err := l.fromMount(specs.Mount{Type: kind, Source: `C:\s`, Options: strings.Split(options, "\n")})
		if err == nil && (l.Scratch == "" || l.Kind == WindowsLayer && len(l.Parents) == 0) {
			t.Errorf("%s %q gives %+v", kind, options, l)
		}
	})
}

func TestLoad_HugeFile_IsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.json")
	sparse.File(t, path)
	_, err := Load(dir)
	sparse.Refused(t, path, err)
	if !errdefs.IsInvalidArgument(err) {
		t.Errorf("%v is no invalid argument", err)
	}
}
